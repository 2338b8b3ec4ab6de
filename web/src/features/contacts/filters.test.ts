import { describe, expect, it } from 'vitest'
import { FIRST_SORT, isFiltered, NO_FILTERS, readFilters, toQuery, writeFilters } from './filters'

const ZONE = 'Asia/Shanghai'
const read = (query: string) => readFilters(new URLSearchParams(query), ZONE)

function address(patch: Record<string, string | null | undefined>): string {
  const p = new URLSearchParams()
  for (const [k, v] of Object.entries(patch)) if (v) p.set(k, v)
  return p.toString()
}

describe('contact filters in the address', () => {
  it('reads back what it wrote', () => {
    const f = read('q=%E7%8E%8B&kind=visitor&channel=social&tag=t1&tagBelow=1&owner=u1&createdFrom=2026-01-01&createdTo=2026-01-31')
    expect(read(address(writeFilters(f)))).toEqual(f)
  })

  it('turns days into instants of the company’s time zone, the last day included', () => {
    const { created } = read('createdFrom=2026-01-01&createdTo=2026-01-31')
    expect(created.from).toBe('2025-12-31T16:00:00.000Z')
    expect(created.to).toBe('2026-01-31T16:00:00.000Z')
  })

  it('keeps a span that is open at one end', () => {
    expect(read('createdFrom=2026-01-01').created).toEqual({ first: '2026-01-01', from: '2025-12-31T16:00:00.000Z' })
  })

  it.each(['createdFrom=2026-02-30', 'createdFrom=yesterday', 'createdFrom=2026-03-02&createdTo=2026-03-01'])('ignores %s', (query) => {
    expect(read(query).created).toEqual({})
  })

  it('shows people unless asked for visitors', () => {
    expect(read('').kind).toBe('person')
    expect(read('kind=robot').kind).toBe('person')
    expect(writeFilters(read('')).kind).toBe('')
  })

  it('counts only what narrows the list as a filter', () => {
    expect(isFiltered(read('kind=visitor&sort=name'))).toBe(false)
    expect(isFiltered(read('createdTo=2026-01-31'))).toBe(true)
  })

  it('clears all of them, and only them', () => {
    expect(Object.values(NO_FILTERS).every((v) => v === '')).toBe(true)
    expect(NO_FILTERS).not.toHaveProperty('kind')
    expect(NO_FILTERS).not.toHaveProperty('sort')
  })

  it('counts tags below a tag only while a tag is chosen', () => {
    expect(toQuery(read('tag=t1&tagBelow=1'), FIRST_SORT)).toMatchObject({ tag: 't1', tagBelow: true })
    expect(toQuery(read('tagBelow=1'), FIRST_SORT).tagBelow).toBeUndefined()
  })

  it('sends nothing that is not set', () => {
    expect(JSON.parse(JSON.stringify(toQuery(read(''), FIRST_SORT)))).toEqual({ kind: 'person', sort: 'lastSeen', order: 'desc' })
  })
})
