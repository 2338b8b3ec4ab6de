import { describe, expect, it } from 'vitest'
import type { Rule, RuleField } from '@/shared/api/types'
import { conditionOn, countConditions, finished, group, parseRule, rootOf, shapeOf, withOp } from './rule'

const field = (field: string, ops: string[], key = ''): RuleField => ({ field, key, ops, label: field, group: 'person', type: 'text' })

describe('rule', () => {
  it('begins a condition with what its operator needs', () => {
    expect(conditionOn(field('channel', ['in'], 'last'))).toEqual({ field: 'channel', key: 'last', op: 'in', value: [] })
    expect(conditionOn(field('created', ['within']))).toEqual({ field: 'created', op: 'within', value: 30 })
  })
  it('keeps a value that fits the other operator, and drops one that does not', () => {
    expect(withOp({ field: 'orders', op: 'gt', value: 3 }, 'lte')).toEqual({ field: 'orders', op: 'lte', value: 3 })
    expect(withOp({ field: 'orders', op: 'gt', value: 3 }, 'between')).toEqual({ field: 'orders', op: 'between', value: ['', ''] })
    expect(withOp({ field: 'name', op: 'is', value: 'x' }, 'set')).toEqual({ field: 'name', op: 'set' })
    expect(shapeOf('hasNoneOf')).toBe('many')
  })
  it('leaves out what is not filled in, and groups that are left empty', () => {
    const full = { field: 'orders', op: 'gte', value: 0 }
    expect(finished(group('all', [full, { field: 'name', op: 'is', value: '' }, group('any', [{ field: 'tag', op: 'hasAnyOf', value: [] }])]))).toEqual({ v: 1, all: [full] })
    expect(finished(group('all', []))).toBeUndefined()
  })
  it('reads the address with doubt and always edits a group', () => {
    const one = { v: 1, field: 'orders', op: 'gte', value: 2 } as Rule
    expect(parseRule(JSON.stringify(one))).toEqual(one)
    for (const bad of [null, '', '{', '[]', '{"v":2}']) expect(parseRule(bad)).toBeUndefined()
    expect(rootOf(one)).toEqual({ all: [{ field: 'orders', op: 'gte', value: 2 }] })
    expect(rootOf(undefined)).toEqual({ all: [] })
    expect(countConditions(rootOf(one))).toBe(1)
  })
})
