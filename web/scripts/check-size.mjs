// Fails when the built console grows beyond its budget. Run it after the build.
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'

const DIST = resolve(import.meta.dirname, '../dist')
const KB = 1024
/** What opening a page cold may cost, before any chart: the sign-in page, and home with the frame around it. */
const COLD_KB = { 'src/features/session/pages/SignInPage.tsx': 300, 'src/features/overview/pages/HomePage.tsx': 360 }
/** What any one chunk may weigh, but the chart library's. */
const PAGE_KB = 200
const LANG = 'zh-CN'

const manifest = JSON.parse(readFileSync(join(DIST, '.vite/manifest.json'), 'utf8'))
const size = (file) => gzipSync(readFileSync(join(DIST, file)), { level: 9 }).length

/** A chunk with everything it imports at once, styles included. */
function closure(keys, seen = new Set()) {
  for (const key of keys) {
    const chunk = manifest[key]
    if (!chunk || seen.has(key)) continue
    seen.add(key)
    closure(chunk.imports ?? [], seen)
  }
  return seen
}
const files = (keys) => new Set([...keys].flatMap((k) => [manifest[k].file, ...(manifest[k].css ?? [])]))
const total = (set) => [...set].reduce((n, f) => n + size(f), 0)

let failed = false
function report(name, bytes, limitKB) {
  const over = bytes > limitKB * KB
  failed ||= over
  console.log(`${over ? 'OVER ' : 'ok   '} ${name}: ${(bytes / KB).toFixed(0)} KB gzip of ${limitKB}`)
}

const words = Object.keys(manifest).filter((k) => k.endsWith(`/${LANG}.json`) && /^src\/(app|shared)/.test(k))
for (const [page, limit] of Object.entries(COLD_KB)) {
  if (!manifest[page]) continue
  const feature = /features\/([^/]+)/.exec(page)[1]
  const frame = feature === 'session' ? [] : ['src/app/SignedIn.tsx']
  const set = files(closure(['index.html', page, ...frame, ...words, `src/features/${feature}/locales/${LANG}.json`]))
  report(`cold ${page.split('/').at(-1)}`, total(set), limit)
}
for (const chunk of Object.values(manifest)) {
  if (!chunk.file.endsWith('.js') || /echarts/.test(chunk.file)) continue
  const bytes = size(chunk.file)
  if (bytes > PAGE_KB * KB) report(chunk.file, bytes, PAGE_KB)
}
process.exit(failed ? 1 : 0)
