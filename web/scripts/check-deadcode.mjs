// Fails on modules nothing reaches and on exports nobody uses, neither another module nor their own.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import ts from 'typescript'

const ROOT = resolve(import.meta.dirname, '..')
const SRC = join(ROOT, 'src')
const ENTRY = join(SRC, 'main.tsx')

function sources(dir) {
  return readdirSync(dir).flatMap((f) => {
    const p = join(dir, f)
    if (statSync(p).isDirectory()) return f === 'generated' ? [] : sources(p)
    return /\.tsx?$/.test(f) && !f.endsWith('.d.ts') ? [p] : []
  })
}
const isTest = (file) => /\.test\.tsx?$/.test(file) || !file.startsWith(SRC)

function target(from, source) {
  const base = source.startsWith('@/') ? join(SRC, source.slice(2)) : source.startsWith('.') ? resolve(dirname(from), source) : undefined
  return base && ['', '.ts', '.tsx'].map((e) => base + e).find((p) => existsSync(p) && statSync(p).isFile())
}

/** What a module offers, and what it takes from which module. '*' takes everything. */
function read(file) {
  const tree = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true, file.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS)
  const exports = new Map()
  const takes = []
  const words = new Map()
  const take = (source, names) => {
    const to = target(file, source)
    if (to) takes.push([to, names])
  }
  const offer = (node, name) => {
    const mods = ts.canHaveModifiers(node) ? (ts.getModifiers(node) ?? []) : []
    if (!mods.some((m) => m.kind === ts.SyntaxKind.ExportKeyword)) return
    exports.set(mods.some((m) => m.kind === ts.SyntaxKind.DefaultKeyword) ? 'default' : name, tree.getLineAndCharacterOfPosition(node.getStart()).line + 1)
  }
  const visit = (node) => {
    if (ts.isIdentifier(node)) words.set(node.text, (words.get(node.text) ?? 0) + 1)
    if (ts.isImportDeclaration(node)) {
      const c = node.importClause
      const names = []
      if (c?.name) names.push('default')
      if (c?.namedBindings && ts.isNamespaceImport(c.namedBindings)) names.push('*')
      if (c?.namedBindings && ts.isNamedImports(c.namedBindings)) names.push(...c.namedBindings.elements.map((e) => (e.propertyName ?? e.name).text))
      take(node.moduleSpecifier.text, names)
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword && node.arguments[0] && ts.isStringLiteral(node.arguments[0])) {
      take(node.arguments[0].text, ['*'])
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
      take(node.moduleSpecifier.text, ['*'])
    } else if (ts.isVariableStatement(node)) {
      for (const d of node.declarationList.declarations) if (ts.isIdentifier(d.name)) offer(node, d.name.text)
    } else if (ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) {
      // Overloads repeat their name without being uses of it.
      if (ts.isFunctionDeclaration(node) && !node.body && node.name) words.set(node.name.text, (words.get(node.name.text) ?? 0) - 1)
      offer(node, node.name?.text ?? 'default')
    }
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return { exports, takes, words }
}

const modules = new Map([...sources(SRC), ...sources(join(ROOT, 'test'))].map((f) => [f, read(f)]))
const used = new Map()
for (const { takes } of modules.values()) for (const [to, names] of takes) used.set(to, new Set([...(used.get(to) ?? []), ...names]))

const reached = new Set()
const walk = (file) => {
  if (reached.has(file)) return
  reached.add(file)
  for (const [to] of modules.get(file)?.takes ?? []) walk(to)
}
walk(ENTRY)

const problems = []
for (const [file, { exports, words }] of modules) {
  if (isTest(file)) continue
  const name = relative(ROOT, file)
  if (!reached.has(file)) problems.push(`${name}: nothing imports it`)
  const taken = used.get(file) ?? new Set()
  if (taken.has('*')) continue
  for (const [e, line] of exports) if (!taken.has(e) && (words.get(e) ?? 0) < 2) problems.push(`${name}:${line}: ${e} is exported but not used`)
}
for (const p of problems) console.error(p)
if (problems.length > 0) process.exit(1)
console.log(`no dead code among ${modules.size} modules`)
