import { describe, expect, it } from 'vitest'
import { depths, places } from './tree'

const at = (id: string, parent = '') => ({ id, parent, name: id, lead: '', members: [] })
const all = [at('a'), at('b', 'a'), at('c', 'b'), at('d', 'a'), at('e')]

describe('departments', () => {
  it('lie as deep as their parents say', () => {
    expect([...depths(all).values()]).toEqual([0, 1, 2, 1, 0])
  })
  it('cannot be moved below themselves', () => {
    expect(places(all, 'b').map((d) => d.id)).toEqual(['a', 'd', 'e'])
    expect(places(all, 'a').map((d) => d.id)).toEqual(['e'])
    expect(places(all, undefined)).toHaveLength(5)
  })
})
