import { describe, expect, it } from 'vitest'
import { cellKey, changedCells, gridDays, readAmount, writeAmount } from './costs'

describe('costs as they are typed', () => {
  it('reads sums with separators and signs, in the currency’s smallest unit', () => {
    expect(readAmount('1,234.5', 100)).toBe(123450)
    expect(readAmount('¥ 12', 100)).toBe(1200)
    expect(readAmount('120', 1)).toBe(120)
    expect(readAmount('', 100)).toBe(0)
    expect(readAmount('0.1', 100)).toBe(10)
  })
  it('refuses what is no sum, or too much', () => {
    for (const text of ['-1', 'abc', '1e9', '1.2.3', '100000001']) expect(readAmount(text, 100), text).toBeUndefined()
  })
  it('writes what it reads', () => {
    for (const [amount, text] of [[123450, '1234.5'], [1200, '12'], [120, '1.2'], [5, '0.05'], [0, ''], [100000, '1000']] as const) {
      expect(writeAmount(amount, 100)).toBe(text)
      expect(readAmount(text, 100)).toBe(amount)
    }
    expect(writeAmount(1200, 1)).toBe('1200')
  })
  it('sends only what changed, and nothing while something is wrong', () => {
    const kept = new Map([[cellKey('social', '2026-03-01'), 1000]])
    const typed = new Map([
      [cellKey('social', '2026-03-01'), '10'],
      [cellKey('social', '2026-03-02'), '5'],
    ])
    expect(changedCells(typed, kept, 100)).toEqual([{ channel: 'social', day: '2026-03-02', amount: 500 }])
    expect(changedCells(new Map([[cellKey('social', '2026-03-01'), '']]), kept, 100)).toEqual([{ channel: 'social', day: '2026-03-01', amount: 0 }])
    expect(changedCells(new Map([...typed, [cellKey('media', '2026-03-01'), 'x']]), kept, 100)).toBeUndefined()
  })
  it('shows a week that ends with the last day', () => {
    expect(gridDays('2026-03-02')).toEqual(['2026-02-24', '2026-02-25', '2026-02-26', '2026-02-27', '2026-02-28', '2026-03-01', '2026-03-02'])
  })
})
