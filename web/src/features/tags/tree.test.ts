import { describe, expect, it } from 'vitest'
import type { Tag } from '@/shared/api/types'
import { branches, dropOn, step } from './tree'

const tag = (id: string, parent?: string): Tag => ({ id, name: id, color: '#14b8a6', contacts: 0, added: [], search: id, parent })
const tags = [tag('a'), tag('b', 'a'), tag('c', 'b'), tag('d')]

describe('tree of tags', () => {
  it('indents children below their parents', () => {
    expect(branches(tags).map((x) => x.depth)).toEqual([0, 1, 2, 0])
  })
  it('drops a tag before another, at its level', () => {
    expect(dropOn(tags, 'd', 'a')).toEqual({ parent: undefined, ids: ['d', 'a'] })
    expect(dropOn(tags, 'd', 'b')).toEqual({ parent: 'a', ids: ['d', 'b'] })
  })
  it('never drops a tag below itself', () => {
    expect(dropOn(tags, 'a', 'c')).toBeUndefined()
    expect(dropOn(tags, 'a', 'a')).toBeUndefined()
  })
  it('moves a step and stops at the ends', () => {
    const level = [tag('a'), tag('d')]
    expect(step(level, 'd', -1)).toEqual(['d', 'a'])
    expect(step(level, 'd', 1)).toBeUndefined()
    expect(step(level, 'x', 1)).toBeUndefined()
  })
})
