// House rules that no published plugin holds: who may import whom, and no words outside the catalogues.
import { dirname, relative, resolve } from 'node:path'

const SRC = resolve(import.meta.dirname, '../src')

/** 'app', 'shared', or 'features/<name>'; undefined outside src. */
export function zoneOf(file) {
  const rel = relative(SRC, file)
  if (rel.startsWith('..')) return undefined
  const [top, name] = rel.split(/[\\/]/)
  if (top === 'features') return `features/${name}`
  return top === 'app' || top === 'shared' ? top : 'root'
}

/** The file an import points at, when it is one of ours. */
export function targetOf(from, source) {
  if (source.startsWith('@/')) return resolve(SRC, source.slice(2))
  if (source.startsWith('.')) return resolve(dirname(from), source)
  return undefined
}

const RANK = { root: 3, app: 2, shared: 0 }
const rank = (zone) => RANK[zone] ?? 1

/** Says what is wrong with an import, or nothing. */
export function wallBetween(from, to) {
  if (from === undefined || to === undefined || from === to) return undefined
  if (from.startsWith('features/') && to.startsWith('features/')) {
    return `${from} must not import ${to}: move what both need to shared, or put them together on a page in app`
  }
  if (rank(from) < rank(to)) return `${from} must not import ${to}: imports go app > features > shared`
  return undefined
}

const walls = {
  meta: { type: 'problem', schema: [] },
  create(context) {
    const check = (node) => {
      const source = node.source?.value
      if (typeof source !== 'string') return
      const file = context.filename
      if (/^antd($|\/)/.test(source) && !/src[\\/]shared[\\/]ui[\\/]/.test(file) && zoneOf(file) !== undefined) {
        context.report({ node, message: 'antd is imported only inside shared/ui: use shared/ui/kit or add a wrapper there' })
        return
      }
      const target = targetOf(file, source)
      const message = target && wallBetween(zoneOf(file), zoneOf(target))
      if (message) context.report({ node, message })
    }
    return { ImportDeclaration: check, ImportExpression: check, ExportNamedDeclaration: check, ExportAllDeclaration: check }
  },
}

const WORD = /\p{Script=Han}|\p{L}{2,}/u
/** Attributes whose text a person reads or hears. */
const READ = /^(title|label|placeholder|alt|desc|description|extra|hint|tooltip|submit|ok|okText|cancelText|message|aria-label|aria-description|aria-placeholder|aria-valuetext)$/

/** Names on keys, such as Esc, are the same in every language. */
const isKey = (element) => element.type === 'JSXElement' && element.openingElement.name.name === 'kbd'

const bareStrings = {
  meta: { type: 'problem', schema: [] },
  create(context) {
    const say = (node) => context.report({ node, message: 'words belong in the catalogues: use t()' })
    const text = (node) => {
      if (!node) return undefined
      if (node.type === 'Literal' && typeof node.value === 'string') return node.value
      if (node.type === 'TemplateLiteral') return node.quasis.map((q) => q.value.cooked).join('')
      return undefined
    }
    const shown = (node) => {
      if (node?.type === 'ConditionalExpression') return [node.consequent, node.alternate].some(shown)
      if (node?.type === 'LogicalExpression') return shown(node.right)
      const s = text(node)
      return s !== undefined && WORD.test(s)
    }
    return {
      JSXText(node) {
        if (WORD.test(node.value) && !isKey(node.parent)) say(node)
      },
      JSXExpressionContainer(node) {
        if (node.parent.type !== 'JSXAttribute' && shown(node.expression)) say(node)
      },
      JSXAttribute(node) {
        const name = node.name.type === 'JSXIdentifier' ? node.name.name : ''
        if (!READ.test(name) || !node.value) return
        const value = node.value.type === 'JSXExpressionContainer' ? node.value.expression : node.value
        if (shown(value)) say(node)
      },
      Literal(node) {
        if (typeof node.value === 'string' && /\p{Script=Han}{2,}/u.test(node.value) && node.parent.type !== 'JSXAttribute') say(node)
      },
    }
  },
}

/** t() at module top level would freeze the language at load time. */
const noTopLevelT = {
  meta: { type: 'problem', schema: [] },
  create(context) {
    let depth = 0
    const enter = () => void depth++
    const leave = () => void depth--
    return {
      ':function': enter,
      ':function:exit': leave,
      CallExpression(node) {
        const c = node.callee
        const called = c.type === 'Identifier' ? c.name : c.type === 'MemberExpression' && c.property.type === 'Identifier' ? c.property.name : ''
        if (depth === 0 && called === 't') context.report({ node, message: 't() at module top level keeps the language of the first load: call it while rendering' })
      },
    }
  },
}

export default { rules: { walls, 'no-bare-strings': bareStrings, 'no-top-level-t': noTopLevelT } }
