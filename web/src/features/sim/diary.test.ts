import { describe, expect, it } from 'vitest'
import type { SimEntry } from '@/shared/api/types'
import { about, KEEP, linked, takeIn, toneOf } from './diary'

const entry = (n: number, more: Partial<SimEntry> = {}): SimEntry => ({ n, at: '2026-03-02T04:00:00Z', kind: 'callback', name: 'x', code: 200, ...more })

describe('the diary', () => {
  it('takes new entries in once and forgets the oldest', () => {
    const one = takeIn([], [entry(1), entry(2)])
    expect(takeIn(one, [entry(2), entry(3)]).map((e) => e.n)).toEqual([1, 2, 3])
    expect(takeIn(one, [entry(2)])).toBe(one)
    expect(takeIn(one, [])).toBe(one)
    const many = takeIn([], Array.from({ length: KEEP + 5 }, (_, i) => entry(i + 1)))
    expect(many).toHaveLength(KEEP)
    expect(many[0]!.n).toBe(6)
  })
  it('begins anew with another run of the program', () => {
    expect(takeIn([entry(90), entry(91)], [entry(1), entry(2)]).map((e) => e.n)).toEqual([1, 2])
  })
  it('tells what concerns one customer', () => {
    const all = [entry(1, { about: 'wmA' }), entry(2, { about: 'wmB' }), entry(3)]
    expect(about(all, ['wmA'], false).map((e) => e.n)).toEqual([1])
    expect(about(all, ['wmA'], true)).toHaveLength(3)
    expect(about(all, [], false)).toEqual([])
  })
  it('does not hide what failed', () => {
    expect(toneOf(entry(1))).toBe('good')
    expect(toneOf(entry(1, { code: 502 }))).toBe('bad')
    expect(toneOf(entry(1, { kind: 'call', code: 0 }))).toBe('good')
    expect(toneOf(entry(1, { kind: 'call', code: 0, note: 'lost' }))).toBe('bad')
    expect(toneOf(entry(1, { kind: 'call', code: 41050 }))).toBe('bad')
    expect(toneOf(entry(1, { kind: 'act', code: 0 }))).toBe('neutral')
  })
  it('finds the addresses in a text', () => {
    expect(linked('看这里：https://a.example/b?c=1，明天见')).toEqual([{ text: '看这里：' }, { text: 'https://a.example/b?c=1', url: 'https://a.example/b?c=1' }, { text: '，明天见' }])
    expect(linked('没有')).toEqual([{ text: '没有' }])
    expect(linked('javascript:alert(1)')).toEqual([{ text: 'javascript:alert(1)' }])
  })
})
