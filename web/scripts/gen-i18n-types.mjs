// Writes src/i18next.d.ts, which makes every t('key') type-checked.
// Run it after adding a feature's locales folder; the locale check fails when it is stale.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { namespaces, ROOT } from './i18n-files.mjs'

export const TARGET = join(ROOT, 'src/i18next.d.ts')

export function render() {
  const all = Object.entries(namespaces())
  const id = (n) => n.replace(/[^a-z0-9]/gi, '_')
  const imports = all.map(([n, dir]) => `import type ${id(n)} from '@/${dir.replace(/^src\//, '')}/zh-CN.json'`)
  const entries = all.map(([n]) => `      ${/^[a-z]+$/i.test(n) ? n : `'${n}'`}: typeof ${id(n)}`)
  return `// Written by scripts/gen-i18n-types.mjs. Do not edit.
import 'i18next'
${imports.join('\n')}

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'common'
    resources: {
${entries.join('\n')}
    }
  }
}
`
}

if (process.argv[1] === import.meta.filename) {
  const text = render()
  let old = ''
  try {
    old = readFileSync(TARGET, 'utf8')
  } catch {
    // first run
  }
  if (old !== text) writeFileSync(TARGET, text)
}
