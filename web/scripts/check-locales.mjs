// Fails when the two languages differ, when a key is missing or unused, or when the key types are stale.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { render, TARGET } from './gen-i18n-types.mjs'
import { namespaces, readJSON, ROOT } from './i18n-files.mjs'
import { baseOf, compare, compareUses, flatten } from './locale-rules.mjs'

function sources(dir) {
  return readdirSync(dir).flatMap((f) => {
    const p = join(dir, f)
    if (statSync(p).isDirectory()) return sources(p)
    return /\.tsx?$/.test(f) && !/\.test\.tsx?$|\.d\.ts$/.test(f) ? [p] : []
  })
}

const problems = []
const catalogues = new Map()
for (const [ns, dir] of Object.entries(namespaces())) {
  const zh = readJSON(dir, 'zh-CN')
  problems.push(...compare(ns, zh, readJSON(dir, 'en')))
  catalogues.set(ns, new Set([...flatten(zh).keys()].map(baseOf)))
}
const files = sources(join(ROOT, 'src')).map((f) => [relative(ROOT, f), readFileSync(f, 'utf8')])
problems.push(...compareUses(catalogues, files))
if (readFileSync(TARGET, 'utf8') !== render()) problems.push('src/i18next.d.ts is stale: run npm run i18n:types')

for (const p of problems) console.error(p)
if (problems.length > 0) process.exit(1)
console.log(`${catalogues.size} catalogues agree in both languages`)
