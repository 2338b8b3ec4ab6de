import { describe, expect, it } from 'vitest'
import type { ChannelFigures } from '@/shared/api/types'
import { COLUMNS, DOWN, figureChange, peopleOf } from './figures'

const zero: ChannelFigures = { visitors: 0, new: 0, buyers: 0, firstBuyers: 0, repeat: 0, orders: 0, revenue: 0, lastOrders: 0, lastRevenue: 0, cost: 0, cohort: 0 }
const scope = { from: '2026-03-01T00:00:00Z', to: '2026-03-08T00:00:00Z', channel: 'social', currency: 'CNY' }

describe('figures of channels', () => {
  it('lead to the people they count, in their currency where money decides', () => {
    expect(peopleOf('new', scope)).toBe('/people?metric=new&from=2026-03-01T00%3A00%3A00Z&to=2026-03-08T00%3A00%3A00Z&channel=social')
    expect(peopleOf('revenue', scope)).toContain('metric=buyers')
    expect(peopleOf('revenue', scope)).toContain('currency=CNY')
    expect(peopleOf('cac', scope)).toContain('metric=firstBuyers')
    expect(peopleOf('cost', scope)).toBeUndefined()
  })
  it('compare with the period before when there was one', () => {
    expect(figureChange('new', { ...zero, new: 12 }, { ...zero, new: 10 })).toBeCloseTo(0.2)
    expect(figureChange('new', { ...zero, new: 12 }, zero)).toBeUndefined()
    expect(figureChange('roi', { ...zero, roi: 0.5 }, { ...zero, roi: -0.5 })).toBeCloseTo(2)
    expect(figureChange('cac', { ...zero, cac: 1 }, zero)).toBeUndefined()
  })
})

it('what is paid is good when it falls, what is earned when it rises', () => {
  expect(COLUMNS.filter((key) => DOWN.has(key))).toEqual(['cost', 'cac'])
})
