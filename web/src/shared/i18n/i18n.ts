import dayjs from 'dayjs'
import 'dayjs/locale/zh-cn'
import i18n from 'i18next'
import { initReactI18next } from 'react-i18next'
import { initialLang, storeLang, type Lang } from './lang'

type Catalogue = Record<string, unknown>
type Loader = () => Promise<{ default: Catalogue }>

/** Catalogue files by path; each becomes a chunk of its own, so a page fetches only its words, in one language. */
const files: Record<string, Loader> = {
  ...import.meta.glob<{ default: Catalogue }>('/src/features/*/locales/*.json'),
  ...import.meta.glob<{ default: Catalogue }>('/src/app/locales/*.json'),
  ...import.meta.glob<{ default: Catalogue }>('/src/shared/i18n/locales/*.json'),
  ...import.meta.glob<{ default: Catalogue }>('/src/shared/rules/locales/*.json'),
}

/** Namespaces that every screen needs. */
const BASE = ['common', 'app'] as const

function pathOf(ns: string, lang: Lang): string {
  if (ns === 'common') return `/src/shared/i18n/locales/${lang}.json`
  if (ns === 'app') return `/src/app/locales/${lang}.json`
  if (ns === 'rules') return `/src/shared/rules/locales/${lang}.json`
  return `/src/features/${ns}/locales/${lang}.json`
}

const wanted = new Set<string>(BASE)

async function load(ns: string, lang: Lang): Promise<void> {
  if (i18n.hasResourceBundle(lang, ns)) return
  const file = files[pathOf(ns, lang)]
  if (!file) throw new Error(`no ${lang} catalogue for "${ns}"`)
  i18n.addResourceBundle(lang, ns, (await file()).default)
}

/** Loads the words of the named features in the current language. Routes call it before they render. */
export async function loadNamespaces(...names: string[]): Promise<void> {
  for (const n of names) wanted.add(n)
  await Promise.all(names.map((n) => load(n, currentLang())))
}

/** The language on screen now. */
export function currentLang(): Lang {
  return i18n.language === 'en' ? 'en' : 'zh-CN'
}

/** Switches every loaded namespace to the language, then tells the page. */
export async function changeLang(lang: Lang): Promise<void> {
  await Promise.all([...wanted].map((n) => load(n, lang)))
  await i18n.changeLanguage(lang)
  applyLang(lang)
  storeLang(lang)
}

function applyLang(lang: Lang): void {
  document.documentElement.lang = lang
  dayjs.locale(lang === 'en' ? 'en' : 'zh-cn')
}

/**
 * Starts translation. The language counts from the first moment; the promise is
 * kept when the shared words are here.
 */
export async function initI18n(lang: Lang = initialLang()): Promise<Lang> {
  const ready = i18n.use(initReactI18next).init({
    initAsync: false, // so that requests sent meanwhile carry the right language
    lng: lang,
    fallbackLng: false,
    defaultNS: 'common',
    ns: [],
    resources: {},
    interpolation: { escapeValue: false },
    returnNull: false,
  })
  await ready
  await Promise.all([...wanted].map((n) => load(n, lang)))
  applyLang(lang)
  return lang
}

export { i18n }
