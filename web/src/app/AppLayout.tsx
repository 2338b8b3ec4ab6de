import { Languages, Moon, PanelLeftClose, PanelLeftOpen, Sun } from 'lucide-react'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, Outlet, useLocation, useNavigation } from 'react-router'
import { usePrefs } from '@/shared/lib/prefs'
import { useMe } from '@/shared/lib/session'
import { Button, Layout, Menu, Tooltip } from '@/shared/ui/kit'
import { navFor, navItemAt } from './nav'

/** The frame around every page behind sign-in. */
export function AppLayout() {
  const { t } = useTranslation('app')
  const me = useMe()
  const { dark, lang, setLang, setMode } = usePrefs()
  const [collapsed, setCollapsed] = useState(false)
  const { pathname } = useLocation()
  const moving = useNavigation().state !== 'idle'
  const here = navItemAt(pathname)
  const groups = useMemo(() => navFor(me.permissions), [me.permissions])
  const items = groups.map((g) => ({
    key: g.key,
    type: 'group' as const,
    label: collapsed ? null : t(`nav.${g.key}`),
    children: g.items.map(({ path, key, icon: Icon }) => ({
      key: path,
      icon: <Icon size={17} strokeWidth={1.8} aria-hidden />,
      label: <Link to={path}>{t(`nav.${key}`)}</Link>,
    })),
  }))
  return (
    <Layout className="kp-shell">
      <a className="kp-skip" href="#content">
        {t('bar.skip')}
      </a>
      <Layout.Sider width={228} collapsedWidth={64} collapsed={collapsed} className="kp-side" theme="light">
        <Link className="kp-brand" to="/">
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
      </Layout.Sider>
      <Layout>
        <Layout.Header className="kp-header">
          <Button
            type="text"
            aria-label={collapsed ? t('bar.expand') : t('bar.collapse')}
            icon={collapsed ? <PanelLeftOpen size={18} aria-hidden /> : <PanelLeftClose size={18} aria-hidden />}
            onClick={() => setCollapsed(!collapsed)}
          />
          {here && (
            <div className="kp-crumbs">
              <span>{t(`nav.${here.group.key}`)}</span>
              <span aria-hidden>/</span>
              <Link to={here.item.path}>{t(`nav.${here.item.key}`)}</Link>
            </div>
          )}
          <span className="kp-grow" />
          <div className="kp-header-right">
            <Tooltip title={t('bar.language')}>
              <Button
                type="text"
                aria-label={t('bar.language')}
                icon={<Languages size={18} aria-hidden />}
                onClick={() => void setLang(lang === 'en' ? 'zh-CN' : 'en')}
              />
            </Tooltip>
            <Button
              type="text"
              aria-label={dark ? t('bar.light') : t('bar.dark')}
              icon={dark ? <Sun size={18} aria-hidden /> : <Moon size={18} aria-hidden />}
              onClick={() => setMode(dark ? 'light' : 'dark')}
            />
          </div>
          {moving && <div className="kp-loading-line" />}
        </Layout.Header>
        <Layout.Content className="kp-content" id="content" tabIndex={-1}>
          <Outlet />
        </Layout.Content>
      </Layout>
    </Layout>
  )
}
