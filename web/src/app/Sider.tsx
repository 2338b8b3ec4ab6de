import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useLocation } from 'react-router'
import { useMe } from '@/shared/lib/session'
import { Tooltip } from '@/shared/ui/kit'
import { TrafficWaiting, Waiting } from './Waiting'
import { navFor, navItemAt, type NavItem } from './nav'

/** The navigation at the left: the pages this user may open. Folded, it shows the signs alone. */
export function Sider({ collapsed }: { collapsed: boolean }) {
  const { t } = useTranslation('app')
  const me = useMe()
  const here = navItemAt(useLocation().pathname)?.item.path
  const groups = useMemo(() => navFor(me.permissions, !!me.demo, me.scope === 'all'), [me.permissions, me.demo, me.scope])
  return (
    <aside className="kp-side" data-collapsed={collapsed}>
      <Link className="kp-brand" to="/" aria-label={collapsed ? t('brand.name') : undefined}>
        <img src="/favicon.svg" alt="" width={30} height={30} />
        {!collapsed && (
          <span className="kp-brand-text">
            <b>{t('brand.name')}</b>
            <span className="kp-clip">{me.company.name}</span>
          </span>
        )}
      </Link>
      <nav className="kp-nav" aria-label={t('bar.main')}>
        {groups.map((g) => (
          <section key={g.key} aria-label={t(`nav.${g.key}`)}>
            {!collapsed && <h2 aria-hidden>{t(`nav.${g.key}`)}</h2>}
            <ul>
              {g.items.map((item) => (
                <li key={item.path}>
                  <Entry item={item} on={item.path === here} collapsed={collapsed} />
                </li>
              ))}
            </ul>
          </section>
        ))}
      </nav>
      {!collapsed && <div className="kp-side-foot kp-num">{me.version}</div>}
    </aside>
  )
}

function Entry({ item, on, collapsed }: { item: NavItem; on: boolean; collapsed: boolean }) {
  const { t } = useTranslation('app')
  const label = t(`nav.${item.key}`)
  const Icon = item.icon
  return (
    <Tooltip title={collapsed ? label : undefined} placement="right">
      <Link to={item.path} aria-current={on ? 'page' : undefined} aria-label={collapsed ? label : undefined}>
        <Icon size={17} strokeWidth={1.8} aria-hidden />
        {!collapsed && <span>{label}</span>}
        {!collapsed && item.path === '/matches' && <Waiting />}
        {!collapsed && item.path === '/traffic' && <TrafficWaiting />}
      </Link>
    </Tooltip>
  )
}
