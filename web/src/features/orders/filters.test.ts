import { describe, expect, it } from 'vitest'
import { isFiltered, NO_FILTERS, readFilters, toQuery } from './filters'

const read = (query: string) => readFilters(new URLSearchParams(query), 'Asia/Shanghai')

describe('order filters in the address', () => {
  it('reads every filter and asks for it', () => {
    expect(toQuery(read('q=A1&state=refunded&contact=c1&paidFrom=2026-03-01&paidTo=2026-03-01'))).toEqual({
      q: 'A1',
      state: 'refunded',
      contact: 'c1',
      from: '2026-02-28T16:00:00.000Z',
      to: '2026-03-01T16:00:00.000Z',
    })
  })

  it('drops what it does not know', () => {
    const f = read('state=lost&paidFrom=soon')
    expect(f.state).toBeUndefined()
    expect(isFiltered(f)).toBe(false)
  })

  it('clears every key it reads', () => {
    const p = new URLSearchParams('q=A1&state=refunded&contact=c1&paidFrom=2026-03-01&paidTo=2026-03-01')
    for (const key of Object.keys(NO_FILTERS)) p.delete(key)
    expect(p.toString()).toBe('')
  })
})
