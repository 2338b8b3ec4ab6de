import { describe, expect, it } from 'vitest'
import { parseRange, presetDays } from './range'

const zone = 'Asia/Shanghai'
const now = Date.parse('2026-03-07T16:30:00Z') // 00:30 on 8 March in Shanghai
const parse = (query: string) => parseRange(new URLSearchParams(query), '30d', zone, now)

describe('presets', () => {
  it('count today in', () => {
    expect(presetDays('7d', '2026-03-08')).toEqual({ first: '2026-03-02', last: '2026-03-08' })
    expect(presetDays('month', '2026-03-08')).toEqual({ first: '2026-03-01', last: '2026-03-08' })
  })
  it('follow the company’s day and not the browser’s', () => {
    expect(parse('range=7d')).toMatchObject({ preset: '7d', first: '2026-03-02', last: '2026-03-08' })
  })
})

describe('parseRange', () => {
  it('gives instants with an open end', () => {
    expect(parse('first=2026-03-01&last=2026-03-01')).toEqual({
      preset: 'custom',
      first: '2026-03-01',
      last: '2026-03-01',
      from: '2026-02-28T16:00:00.000Z',
      to: '2026-03-01T16:00:00.000Z',
    })
  })
  it.each(['', 'range=1000d', 'first=2026-03-05&last=2026-03-01', 'first=2026-02-30x&last=2026-03-01', 'first=2026-03-01', 'range=custom'])('falls back on %s', (query) => {
    expect(parse(query)).toMatchObject({ preset: '30d', last: '2026-03-08' })
  })
})
