import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useLocation } from 'react-router'
import { useMe } from '@/shared/lib/session'
import { Layout, Menu } from '@/shared/ui/kit'
import { navFor, navItemAt } from './nav'

/** The navigation at the left: the pages this user may open. */
export function Sider({ collapsed }: { collapsed: boolean }) {
  const { t } = useTranslation('app')
  const me = useMe()
  const here = navItemAt(useLocation().pathname)
  const groups = useMemo(() => navFor(me.permissions), [me.permissions])
  const items = groups.map((g) => ({
    key: g.key,
    type: 'group' as const,
    label: collapsed ? null : t(`nav.${g.key}`),
    children: g.items.map(({ path, key, icon: Icon }) => ({
      key: path,
      icon: <Icon size={17} strokeWidth={1.8} aria-hidden />,
      label: (
        <Link to={path} aria-current={here?.item.path === path ? 'page' : undefined}>
          {t(`nav.${key}`)}
        </Link>
      ),
    })),
  }))
  return (
    <Layout.Sider width={228} collapsedWidth={64} collapsed={collapsed} className="kp-side" theme="light">
      <Link className="kp-brand" to="/" aria-label={t('brand.name')}>
        <img src="/favicon.svg" alt="" width={30} height={30} />
        {!collapsed && (
          <span className="kp-brand-text">
            <b>{t('brand.name')}</b>
            <span className="kp-clip">{me.company.name}</span>
          </span>
        )}
      </Link>
      <nav className="kp-nav" aria-label={t('bar.main')}>
        <Menu mode="inline" inlineIndent={10} selectedKeys={here ? [here.item.path] : []} items={items} />
      </nav>
      {!collapsed && <div className="kp-side-foot kp-num">{me.version}</div>}
    </Layout.Sider>
  )
}
