import type { Rule, RuleField, RuleNode } from '@/shared/api/types'

/** How a condition on a field can compare. */
export const OPS = [
  'is', 'isNot', 'in', 'notIn', 'contains', 'notContains', 'startsWith', 'set', 'notSet', 'hasAnyOf', 'hasAllOf', 'hasNoneOf', 'gt', 'gte', 'lt', 'lte',
  'between', 'within', 'olderThan', 'next', 'on', 'before', 'after', 'anniversary',
] as const
export type Op = (typeof OPS)[number]

export const GROUP_KINDS = ['all', 'any', 'none'] as const
export type GroupKind = (typeof GROUP_KINDS)[number]

/** How many groups may stand inside each other, the outermost counted, as the server has it. */
export const MAX_DEPTH = 5
/** How many conditions a rule may have, as the server has it. */
export const MAX_CONDITIONS = 50

/** Which kind of group a node is; a condition is none. */
export const kindOf = (n: RuleNode): GroupKind | undefined => GROUP_KINDS.find((k) => n[k] !== undefined)
export const partsOf = (n: RuleNode): RuleNode[] => (n.all ?? n.any ?? n.none ?? []) as RuleNode[]

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

/** The value that a comparison begins with. */
export function firstValue(op: string): unknown {
  switch (shapeOf(op)) {
    case 'many':
      return []
    case 'pair':
      return ['', '']
    case 'days':
      return 30
    case 'one':
      return ''
  }
  return undefined
}

/** A new condition on a field, with its first operator and no value yet. */
export const conditionOn = (f: RuleField): RuleNode => withOp<RuleNode>({ field: f.field, ...(f.key ? { key: f.key } : {}) }, f.ops[0] ?? 'is')

/** The condition with another operator; the value stays if it fits. */
export function withOp<T extends { op?: string; value?: unknown }>(n: T, op: string): T {
  const { value: old, ...rest } = n
  const value = n.op !== undefined && shapeOf(n.op) === shapeOf(op) ? old : firstValue(op)
  return { ...rest, op, ...(value !== undefined ? { value } : {}) } as T
}

/** Whether a comparison has the value that it needs. */
export function valued(n: { op?: string; value?: unknown }): boolean {
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
export function countConditions(n: RuleNode): number {
  if (kindOf(n)) return partsOf(n).reduce((sum, p) => sum + countConditions(p), 0)
  return n.field || n.event || n.sequence || n.habit ? 1 : 0
}
