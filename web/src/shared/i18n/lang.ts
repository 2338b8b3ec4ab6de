/** The languages the console is written in. Chinese is the first. */
export type Lang = 'zh-CN' | 'en'

/** Every language, in the order it is offered. */
export const LANGS: readonly Lang[] = ['zh-CN', 'en']

const STORE_KEY = 'koipond.lang'

/** Resolves a language tag to one we have: every Chinese variant reads zh-CN, anything else reads en. */
export function resolveLang(tag: string | null | undefined): Lang | undefined {
  if (!tag) return undefined
  return /^zh\b/i.test(tag) ? 'zh-CN' : 'en'
}

/** The language to start in: the one chosen here before, else the browser's, else Chinese. */
export function initialLang(stored: string | null = storedLang(), browser: readonly string[] = navigator.languages): Lang {
  return resolveLang(stored) ?? resolveLang(browser[0]) ?? 'zh-CN'
}

function storedLang(): string | null {
  try {
    return localStorage.getItem(STORE_KEY)
  } catch {
    return null // storage is blocked: the browser's language decides
  }
}

/** Remembers the language on this device, for the pages before sign-in. */
export function storeLang(lang: Lang): void {
  try {
    localStorage.setItem(STORE_KEY, lang)
  } catch {
    // storage is blocked: the choice lasts until the tab closes
  }
}
