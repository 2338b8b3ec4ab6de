import { describe, expect, it } from 'vitest'
import { trendFacts } from './trend'

const buckets = ['2026-03-01T00:00:00Z', '2026-03-02T00:00:00Z', '2026-03-03T00:00:00Z']

describe('trendFacts', () => {
  it('sums, averages and finds the peak', () => {
    expect(trendFacts('orders', [1, 5, 3], buckets)).toEqual({ total: 9, average: 3, peak: { value: 5, bucket: buckets[1] } })
  })

  it('never sums active people: the same person is active on many days', () => {
    expect(trendFacts('active', [4, 4, 4], buckets).total).toBeUndefined()
  })

  it('has no peak when nothing happened', () => {
    expect(trendFacts('new', [0, 0, 0], buckets)).toEqual({ total: 0, average: 0, peak: undefined })
    expect(trendFacts('new', [], [])).toEqual({ total: 0, average: 0, peak: undefined })
  })
})
