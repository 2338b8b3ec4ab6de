// What makes two catalogues agree with each other and with the source. Pure functions, tested in test/locales.test.ts.

const PLURAL = /_(zero|one|two|few|many|other)$/

/** { a: { b: 'x' } } → Map { 'a.b' → 'x' } */
export function flatten(tree, prefix = '', out = new Map()) {
  for (const [k, v] of Object.entries(tree)) {
    if (typeof v === 'string') out.set(prefix + k, v)
    else flatten(v, `${prefix}${k}.`, out)
  }
  return out
}

export const baseOf = (key) => key.replace(PLURAL, '')

/** The names a text interpolates: "{{count, number}} of {{total}}" → count, total. */
export function params(text) {
  return [...text.matchAll(/\{\{\s*([\w.]+)/g)].map((m) => m[1]).sort()
}

function grouped(flat) {
  const out = new Map()
  for (const [key, text] of flat) {
    const base = baseOf(key)
    const g = out.get(base) ?? { forms: new Set(), params: new Set() }
    g.forms.add(PLURAL.exec(key)?.[1] ?? '')
    for (const p of params(text)) g.params.add(p)
    out.set(base, g)
  }
  return out
}

/** Differences between the two languages of one namespace. */
export function compare(ns, zhTree, enTree) {
  const problems = []
  const zh = flatten(zhTree)
  const en = flatten(enTree)
  for (const [lang, flat] of [['zh-CN', zh], ['en', en]]) {
    for (const [key, text] of flat) if (text.trim() === '') problems.push(`${ns}:${key} is empty in ${lang}`)
  }
  for (const [key, text] of en) if (/\p{Script=Han}/u.test(text) && !/中文/.test(text)) problems.push(`${ns}:${key} is Chinese in en`)
  const a = grouped(zh)
  const b = grouped(en)
  for (const key of a.keys()) if (!b.has(key)) problems.push(`${ns}:${key} is missing in en`)
  for (const key of b.keys()) if (!a.has(key)) problems.push(`${ns}:${key} is missing in zh-CN`)
  for (const [key, ga] of a) {
    const gb = b.get(key)
    if (!gb) continue
    const pa = [...ga.params].sort().join(', ')
    const pb = [...gb.params].sort().join(', ')
    if (pa !== pb) problems.push(`${ns}:${key} takes {${pa}} in zh-CN but {${pb}} in en`)
    const plural = !ga.forms.has('') || !gb.forms.has('')
    if (plural && !ga.forms.has('other')) problems.push(`${ns}:${key} needs _other in zh-CN`)
    if (plural && !(gb.forms.has('one') && gb.forms.has('other'))) problems.push(`${ns}:${key} needs _one and _other in en`)
  }
  return problems
}

const names = (text) => [...text.matchAll(/['"]([\w-]+)['"]/g)].map((m) => m[1])

/** Every key a source file asks for, as [namespaces, key or pattern]. */
export function uses(source) {
  const spaces = []
  for (const m of source.matchAll(/useTranslation\(([^)]*)\)/g)) spaces.push(...(names(m[1]).length ? names(m[1]) : ['common']))
  for (const m of source.matchAll(/TFunction<([^>]*)>/g)) spaces.push(...names(m[1]))
  if (/:\s*TFunction\b(?!<)/.test(source)) spaces.push('common')
  const out = []
  for (const m of source.matchAll(/\bt\(\s*(?:'([^'\n]+)'|"([^"\n]+)"|`([^`\n]+)`)/g)) add(m[1] ?? m[2], m[3])
  for (const m of source.matchAll(/\bt\((?=\s*[^'"`\s)])/g)) {
    // t(cond ? 'a' : 'b', …): the keys are what stands behind ? and :
    const text = firstArgument(source, m.index + m[0].length)
    for (const k of text.matchAll(/'([^'\n]*)'/g)) if (/[?:]\s*$/.test(text.slice(0, k.index))) add(k[1])
  }
  for (const m of source.matchAll(/\bi18nKey=(?:"([^"]+)"|\{`([^`]+)`\})/g)) add(m[1], m[2])
  for (const m of source.matchAll(/\bcodeText\(\s*'([\w-]+)',\s*'([\w.-]+)'/g)) out.push({ ns: [m[1]], pattern: toPattern(`${m[2]}.\${x}`) })
  return out

  function add(literal, template) {
    const text = literal ?? template
    const [, ns, key] = /^(?:([\w-]+):)?(.+)$/s.exec(text)
    const where = ns ? [ns] : spaces
    if (template?.includes('${')) out.push({ ns: where, pattern: toPattern(key) })
    else out.push({ ns: where, key })
  }
}

/** The text up to the comma or bracket that ends the first argument. */
function firstArgument(source, from) {
  let depth = 0
  for (let i = from; i < source.length; i++) {
    const c = source[i]
    if ('([{'.includes(c)) depth++
    else if (')]}'.includes(c) && depth-- === 0) return source.slice(from, i)
    else if (c === ',' && depth === 0) return source.slice(from, i)
  }
  return ''
}

/** 'nav.${x}' → /^nav\..+$/ */
function toPattern(template) {
  const parts = template.split(/\$\{[^}]*\}/).map((p) => p.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.+')}$`)
}

/** Keys asked for but not there, and keys there that nobody asks for. */
export function compareUses(catalogues, files) {
  const problems = []
  const seen = new Set()
  for (const [file, source] of files) {
    for (const use of uses(source)) {
      const hits = use.ns.flatMap((ns) => {
        const keys = catalogues.get(ns)
        if (!keys) return []
        return [...keys].filter((k) => (use.key !== undefined ? k === use.key : use.pattern.test(k))).map((k) => `${ns}:${k}`)
      })
      for (const h of hits) seen.add(h)
      if (hits.length === 0) problems.push(`${file} asks for ${use.key ?? use.pattern} which ${use.ns.join(', ') || 'no namespace'} does not have`)
    }
  }
  for (const [ns, keys] of catalogues) for (const key of keys) if (!seen.has(`${ns}:${key}`)) problems.push(`${ns}:${key} is not used`)
  return problems
}
