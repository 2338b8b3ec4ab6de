import { describe, expect, it } from 'vitest'
import { homeLink, readPeople, writePeriod } from './people'

const ZONE = 'Asia/Shanghai'
const NOW = Date.parse('2026-03-08T06:00:00Z')
const read = (query: string) => readPeople(new URLSearchParams(query), ZONE, NOW)

describe('the people behind a number', () => {
  it('asks with exactly the instants of the number', () => {
    const s = read('metric=new&from=2026-03-01T01:02:03.004Z&to=2026-03-05T00:00:00Z&channel=social&currency=USD')
    expect(s?.query).toEqual({ metric: 'new', from: '2026-03-01T01:02:03.004Z', to: '2026-03-05T00:00:00.000Z', channel: 'social', currency: 'USD' })
    expect(s?.range.preset).toBe('custom')
  })

  it('recognises a period with a name', () => {
    const s = read('metric=active&from=2026-03-01T16:00:00Z&to=2026-03-08T16:00:00Z')
    expect(s?.range).toMatchObject({ preset: '7d', first: '2026-03-02', last: '2026-03-08' })
  })

  it('reads an event as metric', () => {
    expect(read('metric=event:order.paid')).toMatchObject({ metric: 'event', event: 'order.paid', query: { metric: 'event:order.paid' } })
  })

  it.each(['', 'metric=', 'metric=everyone', 'metric=event:'])('refuses %j', (query) => expect(read(query)).toBeUndefined())

  it('falls back to 30 days when the instants are nonsense', () => {
    expect(read('metric=size&from=x&to=y')?.range.preset).toBe('30d')
    expect(read('metric=size&from=2026-03-05T00:00:00Z&to=2026-03-01T00:00:00Z')?.range.preset).toBe('30d')
  })

  it('writes a period that it reads back', () => {
    const patch = writePeriod({ preset: '90d' }, ZONE, NOW)
    const s = read(`metric=buyers&from=${patch.from}&to=${patch.to}`)
    expect(s?.range.preset).toBe('90d')
  })

  it('leads home to the same period and channel', () => {
    expect(homeLink(read('metric=size')!)).toBe('/home')
    expect(homeLink(read('metric=size&range=7d&channel=social&currency=USD')!)).toBe('/home?range=7d&channel=social&currency=USD')
    expect(homeLink(read('metric=size&first=2026-01-01&last=2026-01-05')!)).toBe('/home?first=2026-01-01&last=2026-01-05')
  })
})
