import { describe, expect, it } from 'vitest'
import { deltaOf } from './delta'

describe('deltaOf', () => {
  it('gives the share of change', () => {
    expect(deltaOf({ unit: 'people', value: 112, previous: 100 })).toEqual({ kind: 'share', value: 0.12 })
    expect(deltaOf({ unit: 'money', value: 50, previous: 100 })).toEqual({ kind: 'share', value: -0.5 })
  })

  it('moves ratios in points, not in percent of percent', () => {
    const d = deltaOf({ unit: 'ratio', value: 0.24, previous: 0.2 })
    expect(d.kind).toBe('points')
    expect(d.kind === 'points' && d.value).toBeCloseTo(0.04)
  })

  it('has nothing to say without a period before', () => {
    expect(deltaOf({ unit: 'count', value: 5 })).toEqual({ kind: 'none' })
    expect(deltaOf({ unit: 'count', value: NaN, previous: 3 })).toEqual({ kind: 'none' })
  })

  it('calls growth from nothing new, never infinite', () => {
    expect(deltaOf({ unit: 'count', value: 5, previous: 0 })).toEqual({ kind: 'fresh' })
    expect(deltaOf({ unit: 'count', value: 0, previous: 0 })).toEqual({ kind: 'share', value: 0 })
  })

  it('keeps the sign when the base is negative', () => {
    expect(deltaOf({ unit: 'money', value: 100, previous: -100 })).toEqual({ kind: 'share', value: 2 })
    expect(deltaOf({ unit: 'money', value: -200, previous: -100 })).toEqual({ kind: 'share', value: -1 })
  })
})
