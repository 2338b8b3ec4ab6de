import { createContext, use } from 'react'
import type { Lang } from '../i18n/lang'

/** The theme as chosen: 'system' follows the device. */
export type ThemeMode = 'light' | 'dark' | 'system'

/** What the reader chose for this device. */
export interface Prefs {
  mode: ThemeMode
  /** The theme on screen now. */
  dark: boolean
  lang: Lang
  setMode: (mode: ThemeMode) => void
  setLang: (lang: Lang) => Promise<void>
}

export const PrefsContext = createContext<Prefs | null>(null)

/** The reader's theme and language. */
export function usePrefs(): Prefs {
  const prefs = use(PrefsContext)
  if (!prefs) throw new Error('usePrefs outside its provider')
  return prefs
}
