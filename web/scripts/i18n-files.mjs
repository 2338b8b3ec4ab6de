// The catalogues of the console: which namespaces exist and where they live.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const ROOT = resolve(import.meta.dirname, '..')
export const LANGS = ['zh-CN', 'en']

/** namespace → folder holding zh-CN.json and en.json, relative to the web folder */
export function namespaces() {
  const out = { common: 'src/shared/i18n/locales', app: 'src/app/locales', rules: 'src/shared/rules/locales' }
  for (const f of readdirSync(join(ROOT, 'src/features')).sort()) {
    const dir = `src/features/${f}/locales`
    if (existsSync(join(ROOT, dir, 'zh-CN.json'))) out[f] = dir
  }
  return out
}

/** A catalogue; a file that is not there reads as empty, so that every key of it is reported missing. */
export function readJSON(dir, lang) {
  const file = join(ROOT, dir, `${lang}.json`)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
}
