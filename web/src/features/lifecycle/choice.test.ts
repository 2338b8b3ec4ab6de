import { describe, expect, it } from 'vitest'
import { isWhole, spanOf } from './choice'

const now = Date.parse('2026-03-01T20:00:00Z') // the second of March in China
const zone = 'Asia/Shanghai'

describe('a choice by hand', () => {
  it('counts days as the company does', () => {
    expect(spanOf(now, zone)).toEqual({ first: '2026-03-02', last: '2028-03-01', proposed: '2026-04-01' })
    expect(spanOf(now, 'Europe/London').first).toBe('2026-03-01')
  })
  it('is whole with a state, a day that may be and a reason', () => {
    const good = { state: 'client', until: '2026-03-02', note: 'x' }
    expect(isWhole(good, now, zone)).toBe(true)
    for (const bad of [{ state: undefined }, { until: '2026-03-01' }, { until: '' }, { until: '2028-03-02' }, { note: '  ' }]) expect(isWhole({ ...good, ...bad }, now, zone)).toBe(false)
  })
})
