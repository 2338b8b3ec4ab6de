import { useQuery } from '@tanstack/react-query'
import { Suspense, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Outlet, useLocation } from 'react-router'
import { channelsQuery } from '@/shared/lib/channels'
import { useCan } from '@/shared/lib/session'
import { readStored, writeStored } from '@/shared/lib/store'
import { Loading } from '@/shared/ui/states'
import { DemoBanner } from './DemoBanner'
import { Header } from './Header'
import { Palette } from './palette/Palette'
import { Sider } from './Sider'

/** Below this width the navigation starts folded. */
const NARROW_PX = 1000

const isBoolean = (v: unknown): v is boolean => typeof v === 'boolean'

/** The frame around every page behind sign-in. */
export function AppLayout() {
  const { t, i18n } = useTranslation('app')
  // Channels are named on many pages: their tree is fetched here, once.
  useQuery({ ...channelsQuery(i18n.language), enabled: useCan('overview.read') })
  const [collapsed, setCollapsed] = useState(() => readStored('nav.folded', isBoolean) ?? window.innerWidth < NARROW_PX)
  const [palette, setPalette] = useState(false)
  const fold = () => {
    writeStored('nav.folded', !collapsed)
    setCollapsed(!collapsed)
  }
  const content = useRef<HTMLElement>(null)
  const { pathname } = useLocation()

  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      if ((e.ctrlKey || e.metaKey) && !e.shiftKey && !e.altKey && e.key.toLowerCase() === 'k') {
        e.preventDefault()
        setPalette((open) => !open)
      }
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [])
  // A new page starts at its top.
  useEffect(() => {
    // Newer browsers answer scrollTo with a promise, which an effect must not return.
    void content.current?.scrollTo(0, 0)
  }, [pathname])

  return (
    <div className="kp-shell">
      <a
        className="kp-skip"
        href="#content"
        onClick={(e) => {
          e.preventDefault()
          content.current?.focus()
        }}
      >
        {t('bar.skip')}
      </a>
      <Sider collapsed={collapsed} />
      <div className="kp-main">
        <Header collapsed={collapsed} onCollapse={fold} onSearch={() => setPalette(true)} />
        <DemoBanner />
        <main className="kp-content" id="content" tabIndex={-1} ref={content}>
          <Suspense fallback={<Loading />}>
            <Outlet />
          </Suspense>
        </main>
      </div>
      <Palette open={palette} onClose={() => setPalette(false)} />
    </div>
  )
}
