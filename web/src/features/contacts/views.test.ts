import { describe, expect, it } from 'vitest'
import type { ContactView } from '@/shared/api/types'
import { FIRST_SORT, readFilters } from './filters'
import { definitionOf, isChanged, viewPatch } from './views'

const zone = 'Asia/Shanghai'
const view = (definition: ContactView['definition']): ContactView => ({ id: 'vw_1', name: 'x', sentence: '', definition })
const where = { v: 1, all: [{ field: 'orders', op: 'gte', value: 2 }] }

describe('views', () => {
  it('comes back from the address as it was saved', () => {
    const params = new URLSearchParams({ q: '张', channel: 'social', createdFrom: '2026-03-01', createdTo: '2026-03-02', where: JSON.stringify(where) })
    const saved = view(definitionOf(readFilters(params, zone), { sort: 'revenue', order: 'asc' }))
    const patch = viewPatch(saved, zone)
    expect(patch).toMatchObject({ q: '张', channel: 'social', createdFrom: '2026-03-01', createdTo: '2026-03-02', sort: 'revenue', order: 'asc', view: 'vw_1' })
    const back = new URLSearchParams(Object.entries(patch).filter((e): e is [string, string] => !!e[1]))
    expect(isChanged(saved, definitionOf(readFilters(back, zone), { sort: 'revenue', order: 'asc' }))).toBe(false)
    back.set('channel', 'offline')
    expect(isChanged(saved, definitionOf(readFilters(back, zone), { sort: 'revenue', order: 'asc' }))).toBe(true)
    expect(isChanged(saved, definitionOf(readFilters(params, zone), FIRST_SORT)), 'another order is a change').toBe(true)
  })
  it('takes what the server leaves out for the usual', () => {
    const all = view({ filter: {} } as ContactView['definition'])
    expect(isChanged(all, definitionOf(readFilters(new URLSearchParams(), zone), FIRST_SORT))).toBe(false)
    expect(isChanged(all, definitionOf(readFilters(new URLSearchParams({ kind: 'visitor' }), zone), FIRST_SORT))).toBe(true)
    expect(viewPatch(all, zone)).toMatchObject({ q: '', where: '', sort: '', view: 'vw_1' })
  })
})
