import type { Rule, RuleField, RuleNode } from '@/shared/api/types'

/** How a condition can compare. */
export const OPS = [
  'is', 'isNot', 'in', 'notIn', 'contains', 'notContains', 'startsWith', 'set', 'notSet', 'hasAnyOf', 'hasAllOf', 'hasNoneOf', 'gt', 'gte', 'lt', 'lte',
  'between', 'within', 'olderThan', 'next', 'on', 'before', 'after', 'anniversary',
] as const
export type Op = (typeof OPS)[number]

export const GROUP_KINDS = ['all', 'any', 'none'] as const
export type GroupKind = (typeof GROUP_KINDS)[number]

/** How deep groups may nest, as the server has it. */
export const MAX_DEPTH = 3

/** Which kind of group a node is; a condition is none. */
export const kindOf = (n: RuleNode): GroupKind | undefined => GROUP_KINDS.find((k) => n[k] !== undefined)
export const partsOf = (n: RuleNode): RuleNode[] => (n.all ?? n.any ?? n.none ?? []) as RuleNode[]
export const group = (kind: GroupKind, parts: RuleNode[]): RuleNode => ({ [kind]: parts })

/** What a control needs to know of a value: how many, and of which sort. */
export type ValueShape = 'none' | 'one' | 'many' | 'pair' | 'days'

export function shapeOf(op: string): ValueShape {
  switch (op) {
    case 'set':
    case 'notSet':
      return 'none'
    case 'in':
    case 'notIn':
    case 'hasAnyOf':
    case 'hasAllOf':
    case 'hasNoneOf':
      return 'many'
    case 'between':
      return 'pair'
    case 'within':
    case 'olderThan':
    case 'next':
    case 'anniversary':
      return 'days'
  }
  return 'one'
}

/** A new condition on a field, with its first operator and no value yet. */
export const conditionOn = (f: RuleField): RuleNode => withOp({ field: f.field, ...(f.key ? { key: f.key } : {}) }, f.ops[0] ?? 'is')

/** The condition with another operator; the value stays if it fits. */
export function withOp(n: RuleNode, op: string): RuleNode {
  const { value: old, ...rest } = n
  const shape = shapeOf(op)
  if (n.op !== undefined && shapeOf(n.op) === shape) return { ...rest, op, ...(old !== undefined ? { value: old } : {}) }
  const value = shape === 'many' ? [] : shape === 'days' ? 30 : shape === 'pair' ? ['', ''] : shape === 'one' ? '' : undefined
  return { ...rest, op, ...(value !== undefined ? { value } : {}) }
}

/** Whether a condition has all that it needs. */
function ready(n: RuleNode): boolean {
  if (kindOf(n)) return true
  switch (shapeOf(n.op ?? '')) {
    case 'none':
      return true
    case 'many':
      return Array.isArray(n.value) && n.value.length > 0
    case 'pair':
      return Array.isArray(n.value) && n.value.length === 2 && n.value.every((v) => v !== '' && v !== null)
  }
  return n.value !== undefined && n.value !== '' && n.value !== null
}

/** The rule without what is not filled in yet; nothing when nothing is left. */
export function finished(root: RuleNode): Rule | undefined {
  const clean = (n: RuleNode): RuleNode | undefined => {
    const kind = kindOf(n)
    if (!kind) return ready(n) ? n : undefined
    const parts = partsOf(n).map(clean).filter((p) => p !== undefined)
    return parts.length > 0 ? group(kind, parts) : undefined
  }
  const node = clean(root)
  return node && ({ v: 1, ...node } as Rule)
}

/** The root that the builder edits: always a group. */
export function rootOf(rule: Rule | undefined): RuleNode {
  if (!rule) return group('all', [])
  const node: RuleNode & { v?: number } = { ...rule }
  delete node.v
  return kindOf(node) ? node : group('all', [node])
}

/** Reads a rule from the address; anything else counts as none. */
export function parseRule(text: string | null): Rule | undefined {
  if (!text) return undefined
  try {
    const v: unknown = JSON.parse(text)
    return typeof v === 'object' && v !== null && 'v' in v && v.v === 1 ? (v as Rule) : undefined
  } catch {
    return undefined
  }
}

/** How many conditions a rule has. */
export const countConditions = (n: RuleNode): number => (kindOf(n) ? partsOf(n).reduce((sum, p) => sum + countConditions(p), 0) : n.field ? 1 : 0)
