import { describe, expect, it } from 'vitest'
import { formatBytes, formatCompact, formatInt, formatMoney, formatPercent, formatSeconds, hueOf, initials, minorUnits } from './format'

describe('numbers', () => {
  it('groups thousands', () => expect(formatInt(541909, 'zh-CN')).toBe('541,909'))
  it('shortens by the language’s own units', () => {
    expect(formatCompact(25000, 'zh-CN')).toBe('2.5万')
    expect(formatCompact(25000, 'en')).toBe('25K')
  })
  it('writes shares', () => {
    expect(formatPercent(0.1073, 'zh-CN')).toBe('10.7%')
    expect(formatPercent(0, 'en', 0)).toBe('0%')
  })
  it('writes sizes', () => {
    expect(formatBytes(0, 'en')).toBe('0 B')
    expect(formatBytes(1536, 'en')).toBe('1.5 KB')
    expect(formatBytes(300 * 1024 * 1024, 'en')).toBe('300 MB')
  })
  it('writes lengths of time in two parts', () => {
    expect(formatSeconds(0, 'en')).toBe('0 sec')
    expect(formatSeconds(59, 'en')).toBe('59 sec')
    expect(formatSeconds(93784, 'en')).toBe('1 day 2 hr')
    expect(formatSeconds(86400 + 5, 'en')).toBe('1 day')
  })
})

describe('money', () => {
  it('counts in the currency’s own minor units', () => {
    expect(minorUnits('CNY')).toBe(100)
    expect(minorUnits('JPY')).toBe(1)
    expect(minorUnits('KWD')).toBe(1000)
    expect(minorUnits('nonsense')).toBe(100)
  })
  it('writes amounts', () => {
    expect(formatMoney({ amount: 12345, currency: 'CNY' }, 'zh-CN')).toBe('¥123.45')
    expect(formatMoney({ amount: 12345, currency: 'JPY' }, 'zh-CN')).toMatch(/^[¥¥]12,345$/)
    expect(formatMoney({ amount: 386421000, currency: 'CNY' }, 'zh-CN', { compact: true })).toBe('¥386.4万')
    expect(formatMoney({ amount: 12345, currency: 'CNY' }, 'zh-CN', { whole: true })).toBe('¥123')
    expect(formatMoney({ amount: -100, currency: 'GBP' }, 'en')).toBe('-£1.00')
  })
  it('does not break on a code it does not know', () => expect(formatMoney({ amount: 1000, currency: '??' }, 'en')).toBe('10 ??'))
})

describe('names', () => {
  it('takes the last sign of a Chinese name and the initials of others', () => {
    expect(initials('陈雨桐')).toBe('桐')
    expect(initials('Ada Lovelace King')).toBe('AL')
    expect(initials('  ')).toBe('?')
  })
  it('always gives the same colour', () => {
    expect(hueOf('陈雨桐')).toBe(hueOf('陈雨桐'))
    for (const n of ['', 'a', '😀']) expect(hueOf(n)).toBeGreaterThanOrEqual(0)
  })
})
