// The console's own words for browser tests, so that a test of both languages is written once.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

const read = (path) => JSON.parse(readFileSync(resolve(import.meta.dirname, '../src', path), 'utf8'))

/** Gives the words of features in a language: say('lifecycle', 'place.move') or, with parameters, say('tags', 'auto.of', { name }). */
export function wordsIn(lang) {
  const known = new Map()
  const catalogue = (ns) => {
    if (!known.has(ns)) known.set(ns, read(ns === 'common' ? `shared/i18n/locales/${lang}.json` : ns === 'rules' ? `shared/rules/locales/${lang}.json` : `features/${ns}/locales/${lang}.json`))
    return known.get(ns)
  }
  return (ns, key, params = {}) => {
    const at = (k) => k.split('.').reduce((o, part) => o?.[part], catalogue(ns))
    const text = at(key) ?? at(`${key}_${params.count === 1 && lang === 'en' ? 'one' : 'other'}`)
    if (typeof text !== 'string') throw new Error(`no words for ${ns}:${key} in ${lang}`)
    return text.replaceAll(/\{\{(\w+)[^}]*\}\}/g, (_, name) => String(params[name]))
  }
}
