import { Languages, Moon, Sun } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import type { Lang } from '../i18n/lang'
import { usePrefs } from '../lib/prefs'
import { Button, Tooltip } from './kit'

/** Turns the page into the other language. The tip names that language in itself. */
export function LangSwitch({ onChange }: { onChange?: (lang: Lang) => void }) {
  const { t } = useTranslation()
  const { lang, setLang } = usePrefs()
  const next: Lang = lang === 'en' ? 'zh-CN' : 'en'
  const change = () => {
    void setLang(next)
    onChange?.(next)
  }
  return (
    <Tooltip title={t('switch.language')}>
      <Button type="text" aria-label={t('switch.language')} icon={<Languages size={18} aria-hidden />} onClick={change} />
    </Tooltip>
  )
}

/** Turns light into dark and back. */
export function ThemeSwitch() {
  const { t } = useTranslation()
  const { dark, setMode } = usePrefs()
  const label = dark ? t('switch.light') : t('switch.dark')
  return (
    <Tooltip title={label}>
      <Button
        type="text"
        aria-label={label}
        icon={dark ? <Sun size={18} aria-hidden /> : <Moon size={18} aria-hidden />}
        onClick={() => setMode(dark ? 'light' : 'dark')}
      />
    </Tooltip>
  )
}
