import { useEffect, useMemo, useState, useSyncExternalStore, type ReactNode } from 'react'
import { changeLang } from '@/shared/i18n/i18n'
import type { Lang } from '@/shared/i18n/lang'
import { PrefsContext, type Prefs, type ThemeMode } from '@/shared/lib/prefs'

// boot.js reads the same key before the first paint, as plain text.
const THEME_KEY = 'koipond.theme'

function storedMode(): ThemeMode {
  try {
    const v = localStorage.getItem(THEME_KEY)
    return v === 'light' || v === 'dark' ? v : 'system'
  } catch {
    return 'system'
  }
}

function storeMode(mode: ThemeMode): void {
  try {
    localStorage.setItem(THEME_KEY, mode)
  } catch {
    // storage is blocked: the choice lasts until the tab closes
  }
}

const darkQuery = () => window.matchMedia('(prefers-color-scheme: dark)')

function watchDevice(changed: () => void): () => void {
  const q = darkQuery()
  q.addEventListener('change', changed)
  return () => q.removeEventListener('change', changed)
}

/** Holds the theme and the language of this device. */
export function PrefsProvider({ children, initialLang }: { children: ReactNode; initialLang: Lang }) {
  const [mode, setMode] = useState<ThemeMode>(storedMode)
  const [lang, setLang] = useState<Lang>(initialLang)
  const deviceDark = useSyncExternalStore(watchDevice, () => darkQuery().matches)
  const dark = mode === 'dark' || (mode === 'system' && deviceDark)
  useEffect(() => {
    document.documentElement.dataset.theme = dark ? 'dark' : 'light'
  }, [dark])
  const value = useMemo<Prefs>(
    () => ({
      mode,
      dark,
      lang,
      setMode: (next) => {
        storeMode(next)
        setMode(next)
      },
      setLang: async (next) => {
        await changeLang(next)
        setLang(next)
      },
    }),
    [mode, dark, lang],
  )
  return <PrefsContext value={value}>{children}</PrefsContext>
}
