import { describe, expect, it } from 'vitest'
import type { Rule, RuleField } from '@/shared/api/types'
import { conditionOn, countConditions, parseRule, shapeOf, withOp } from './rule'

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
  it('reads the address with doubt, and counts conditions of every sort', () => {
    const one = { v: 1, field: 'orders', op: 'gte', value: 2 } as Rule
    expect(parseRule(JSON.stringify(one))).toEqual(one)
    for (const bad of [null, '', '{', '[]', '{"v":2}']) expect(parseRule(bad)).toBeUndefined()
    expect(countConditions({ all: [{ field: 'orders', op: 'set' }, { any: [{ event: { name: 'a' } }, { habit: { kind: 'stopped', name: 'a' } }] }] })).toBe(3)
  })
})
