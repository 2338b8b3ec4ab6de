import { useQueryClient } from '@tanstack/react-query'
import { PanelLeftClose, PanelLeftOpen, Search } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Link, useLocation, useNavigation } from 'react-router'
import { SESSION_KEY, updateMe } from '@/features/session/queries'
import type { Lang } from '@/shared/i18n/lang'
import { useToast } from '@/shared/ui/feedback'
import { Button } from '@/shared/ui/kit'
import { LangSwitch, ThemeSwitch } from '@/shared/ui/switches'
import { AccountMenu } from './AccountMenu'
import { navItemAt } from './nav'
import { Notices } from './Notices'

interface Props {
  collapsed: boolean
  onCollapse: () => void
  onSearch: () => void
}

const MOD = /Mac|iPhone|iPad/.test(navigator.userAgent) ? '⌘' : 'Ctrl'

/** The bar above the page: where we are, search, language, theme, notices and the account. */
export function Header({ collapsed, onCollapse, onSearch }: Props) {
  const { t } = useTranslation('app')
  const here = navItemAt(useLocation().pathname)
  const moving = useNavigation().state !== 'idle'
  const remember = useRememberLanguage()
  const Fold = collapsed ? PanelLeftOpen : PanelLeftClose
  return (
    <header className="kp-header">
      <Button
        type="text"
        aria-label={collapsed ? t('bar.expand') : t('bar.collapse')}
        aria-expanded={!collapsed}
        icon={<Fold size={18} aria-hidden />}
        onClick={onCollapse}
      />
      {here && (
        <div className="kp-crumbs">
          <span>{t(`nav.${here.group.key}`)}</span>
          <span aria-hidden>/</span>
          <Link to={here.item.path}>{t(`nav.${here.item.key}`)}</Link>
        </div>
      )}
      <button type="button" className="kp-search" aria-keyshortcuts="Control+K Meta+K" onClick={onSearch}>
        <Search size={15} aria-hidden />
        <span>{t('bar.search')}</span>
        <kbd>{MOD} K</kbd>
      </button>
      <div className="kp-header-right">
        <LangSwitch onChange={(lang) => void remember(lang)} />
        <ThemeSwitch />
        <Notices />
        <AccountMenu />
      </div>
      {moving && <div className="kp-loading-line" />}
    </header>
  )
}

/** Stores the chosen language on the user too, so that it follows them to other devices. */
function useRememberLanguage(): (lang: Lang) => Promise<void> {
  const client = useQueryClient()
  const toast = useToast()
  return async (language) => {
    try {
      client.setQueryData(SESSION_KEY, await updateMe({ language }))
    } catch (error) {
      toast.failed(error)
      return
    }
    // Job titles, role names and the like come from the server in the reader's language.
    await client.invalidateQueries({ predicate: (q) => q.queryKey[0] !== 'session' || q.queryKey.length > 1 })
  }
}
