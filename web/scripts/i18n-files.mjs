// The catalogues of the console: which namespaces exist and where they live.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const ROOT = resolve(import.meta.dirname, '..')
export const LANGS = ['zh-CN', 'en']

/** namespace → folder holding zh-CN.json and en.json, relative to the web folder */
export function namespaces() {
  const out = { common: 'src/shared/i18n/locales', app: 'src/app/locales' }
  for (const f of readdirSync(join(ROOT, 'src/features')).sort()) {
    const dir = `src/features/${f}/locales`
    if (existsSync(join(ROOT, dir))) out[f] = dir
  }
  return out
}

export const readJSON = (dir, lang) => JSON.parse(readFileSync(join(ROOT, dir, `${lang}.json`), 'utf8'))
