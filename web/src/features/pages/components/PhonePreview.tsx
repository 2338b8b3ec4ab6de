import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { LandingDesign } from '@/shared/api/types'
import { ErrorState, Loading } from '@/shared/ui/states'
import { previewQuery } from '../queries'
import css from './pages.module.css'

/** The page at the width of a phone, rendered by the server with what is being typed. Nothing in it can be pressed or sent. */
export function PhonePreview({ title, design }: { title: string; design: LandingDesign }) {
  const { t } = useTranslation('pages')
  const calm = useCalm({ title, design })
  const query = useQuery(previewQuery(calm.title, calm.design))
  return (
    <section className={css.phone} aria-label={t('preview.title')}>
      <b>{t('preview.title')}</b>
      {query.data ? <iframe title={t('preview.frame')} sandbox="" srcDoc={query.data.html} /> : query.error ? <ErrorState error={query.error} onRetry={() => void query.refetch()} /> : <Loading height={480} />}
    </section>
  )
}

/** A value that has rested for a moment: a page is not asked for at every key. */
function useCalm<T>(value: T): T {
  const [calm, setCalm] = useState(value)
  const now = JSON.stringify(value)
  useEffect(() => {
    const timer = setTimeout(() => setCalm(JSON.parse(now) as T), 400)
    return () => clearTimeout(timer)
  }, [now])
  return calm
}
