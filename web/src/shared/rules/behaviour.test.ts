import { describe, expect, it } from 'vitest'
import type { RuleNode } from '@/shared/api/types'
import { askOf, ASKS, endOps, eventOn, habitOf, HABITS, ready, sequenceOf, takesNumber, whereOps, windowSort, withAsk } from './behaviour'

describe('conditions on behaviour', () => {
  it('tells never from did, however it is written, and keeps the facts when the question changes', () => {
    const e = { ...eventOn('order.paid'), where: [{ property: 'amount', op: 'gte', value: 100 }] }
    for (const ask of ASKS) {
      const next = withAsk(e, ask)
      expect(askOf(next)).toBe(ask)
      expect(next).toMatchObject({ name: 'order.paid', where: e.where, within: e.within })
    }
    expect(askOf({ name: 'a', op: 'lt', value: 1 })).toBe('never')
    expect(askOf({ name: 'a', op: 'lte', value: 0 })).toBe('never')
    expect(askOf({ name: 'a' })).toBe('did')
    expect(withAsk(withAsk(e, 'sum'), 'did')).not.toHaveProperty('property')
    expect(withAsk({ name: 'a' }, 'firstTime').within).toEqual({ last: 30, unit: 'day' })
  })
  it('knows what is not filled in yet', () => {
    const not: RuleNode[] = [
      { event: eventOn('') },
      { event: { ...eventOn('a'), value: '' } },
      { event: withAsk(eventOn('a'), 'sum') },
      { event: { ...withAsk(eventOn('a'), 'sum'), property: 'p' } },
      { event: { ...eventOn('a'), within: { last: 0, unit: 'day' } } },
      { event: { ...eventOn('a'), within: { from: '', to: '' } } },
      { event: { ...eventOn('a'), where: [{ property: '', op: 'is', value: 'x' }] } },
      { event: { name: 'a', measure: 'firstTime' } },
      { sequence: sequenceOf('a') },
      { sequence: { ...sequenceOf('a', 'b'), gap: { n: 0, unit: 'day' } } },
      { habit: habitOf('regularly') },
      { habit: { ...habitOf('regularly', { name: 'a' }), periods: undefined } },
      { field: 'tag', op: 'hasAnyOf', value: [] },
    ]
    for (const n of not) expect(ready(n), JSON.stringify(n)).toBe(false)
    const done: RuleNode[] = [
      { event: { name: 'a' } },
      { event: eventOn('a') },
      { event: withAsk(eventOn('a'), 'never') },
      { event: withAsk(eventOn('a'), 'firstTime') },
      { event: { ...withAsk(eventOn('a'), 'sum'), property: 'p', value: 3 } },
      { event: { name: 'a', within: { from: '2026-03-01' } } },
      { sequence: sequenceOf('a', 'b') },
      ...HABITS.map((k) => ({ habit: habitOf(k, { name: 'a' }) })),
      { field: 'tag', op: 'set' },
    ]
    for (const n of done) expect(ready(n), JSON.stringify(n)).toBe(true)
  })
  it('offers comparisons that fit what a property holds', () => {
    expect(whereOps('number')).toContain('between')
    expect(whereOps('number')).not.toContain('contains')
    expect(whereOps('string')).not.toContain('gte')
    expect(whereOps('boolean')).toEqual(['is', 'isNot', 'set', 'notSet'])
    expect(whereOps(undefined)).toEqual(expect.arrayContaining(['contains', 'gte']))
    expect(endOps('string')).not.toContain('set')
    expect(takesNumber('string', 'gte')).toBe(true)
    expect(takesNumber('number', 'is')).toBe(true)
    expect(takesNumber('string', 'is')).toBe(false)
    expect([windowSort(undefined), windowSort({ last: 1, unit: 'day' }), windowSort({ from: '' })]).toEqual(['ever', 'last', 'days'])
  })
})
