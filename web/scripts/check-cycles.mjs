// Fails when modules import each other in a circle: such modules cannot be understood, tested or loaded apart.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

const SRC = resolve(import.meta.dirname, '../src')

function sources(dir) {
  return readdirSync(dir).flatMap((f) => {
    const p = join(dir, f)
    if (statSync(p).isDirectory()) return sources(p)
    return /\.tsx?$/.test(f) && !f.endsWith('.d.ts') ? [p] : []
  })
}

function target(from, source) {
  const base = source.startsWith('@/') ? join(SRC, source.slice(2)) : source.startsWith('.') ? resolve(dirname(from), source) : undefined
  if (!base) return undefined
  return ['', '.ts', '.tsx'].map((e) => base + e).find((p) => existsSync(p) && statSync(p).isFile())
}

/** Imports that exist at run time; types are gone by then, and lazy imports are how a circle is broken. */
function imports(file) {
  const text = readFileSync(file, 'utf8')
  return [...text.matchAll(/^(?:import|export)\s+(?!type\b)(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]/gm)].map((m) => target(file, m[1])).filter(Boolean)
}

const graph = new Map(sources(SRC).map((f) => [f, imports(f)]))
const done = new Set()
const circles = []

function visit(file, path) {
  const at = path.indexOf(file)
  if (at >= 0) {
    circles.push([...path.slice(at), file])
    return
  }
  if (done.has(file)) return
  for (const next of graph.get(file) ?? []) visit(next, [...path, file])
  done.add(file)
}
for (const file of graph.keys()) visit(file, [])

for (const c of circles) console.error(c.map((f) => relative(SRC, f)).join(' → '))
if (circles.length > 0) process.exit(1)
console.log(`no import circles among ${graph.size} modules`)
