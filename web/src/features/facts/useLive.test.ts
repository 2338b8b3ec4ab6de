import { describe, expect, it } from 'vitest'
import type { LiveFact } from '@/shared/api/types'
import { KEEP, liveUrl, takeIn } from './useLive'

const fact = (n: number): LiveFact => ({
  position: `1-${n}`,
  receivedAt: '2026-01-01T00:00:00Z',
  timestamp: '2026-01-01T00:00:00Z',
  type: 'track',
  name: 'x',
  messageId: `m${n}`,
  source: 'web',
  identifiers: [],
  outcome: 'stored',
  properties: {},
})

describe('the live list', () => {
  it('puts the newest on top', () => {
    expect(takeIn([fact(1)], [fact(2), fact(3)]).map((f) => f.messageId)).toEqual(['m3', 'm2', 'm1'])
  })
  it('shows a fact once, also after a reconnect', () => {
    const old = [fact(2), fact(1)]
    expect(takeIn(old, [fact(1), fact(2)])).toBe(old)
    expect(takeIn(old, [fact(3), fact(3)]).map((f) => f.messageId)).toEqual(['m3', 'm2', 'm1'])
  })
  it('forgets the oldest beyond its bound', () => {
    const many = Array.from({ length: KEEP + 50 }, (_, i) => fact(i))
    const list = takeIn([], many)
    expect(list).toHaveLength(KEEP)
    expect(list[0]?.messageId).toBe(`m${KEEP + 49}`)
  })
  it('asks the server only for what is filtered', () => {
    expect(liveUrl({})).toBe('/api/facts/live')
    expect(liveUrl({ name: 'order.paid', source: '' })).toBe('/api/facts/live?name=order.paid')
  })
})
