import { App as AntApp, ConfigProvider } from 'antd'
import enUS from 'antd/locale/en_US'
import zhCN from 'antd/locale/zh_CN'
import { useMemo, type ReactNode } from 'react'
import { usePrefs } from '../lib/prefs'
import { makeTheme } from './theme'

/** The kit's theme and words, following the reader's choice. */
export function ThemeRoot({ children }: { children: ReactNode }) {
  const { dark, lang } = usePrefs()
  const theme = useMemo(() => makeTheme(dark, !window.matchMedia('(prefers-reduced-motion: reduce)').matches), [dark])
  return (
    <ConfigProvider theme={theme} locale={lang === 'en' ? enUS : zhCN} button={{ autoInsertSpace: false }}>
      <AntApp style={{ height: '100%' }}>{children}</AntApp>
    </ConfigProvider>
  )
}
