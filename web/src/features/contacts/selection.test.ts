import { describe, expect, it } from 'vitest'
import type { ContactRow } from '@/shared/api/types'
import { selectionOf, tick, tickedRows } from './selection'

const rows = ['a', 'b', 'c'].map((id) => ({ id }) as ContactRow)
const ids = (list: ContactRow[]) => list.map((r) => r.id)
const filter = { kind: 'person' } as const

describe('choice of contacts', () => {
  it('names those ticked, and drops those that left the screen', () => {
    expect(ids(tickedRows({ ids: ['b', 'gone'] }, rows))).toEqual(['b'])
    expect(selectionOf({ ids: ['b', 'gone'] }, rows, filter, 9)).toMatchObject({ body: { ids: ['b'] }, count: 1 })
    expect(selectionOf({ ids: ['gone'] }, rows, filter, 9)).toBeUndefined()
    expect(tick({ ids: ['a'] }, rows, ['a', 'c'])).toEqual({ ids: ['a', 'c'] })
  })
  it('keeps who was left out of all, on screen or not', () => {
    const all = { except: ['b', 'far'] }
    expect(ids(tickedRows(all, rows))).toEqual(['a', 'c'])
    expect(tick(all, rows, ['a', 'b', 'c'])).toEqual({ except: ['far'] })
    expect(tick(all, rows, [])).toEqual({ except: ['far', 'a', 'b', 'c'] })
    expect(selectionOf(all, rows, filter, 9)).toMatchObject({ body: { filter, except: ['b', 'far'] }, count: 7 })
    expect(selectionOf({ except: [] }, rows, filter, 9)?.body).toEqual({ filter })
    expect(selectionOf({ except: ['a', 'b', 'c'] }, rows, filter, 3)).toBeUndefined()
  })
})
