import { describe, expect, it } from 'vitest'
import { attributesOf } from './components/useContactColumns'

describe('columns that are attributes', () => {
  it('asks the server for those that are shown, and for no more than it takes', () => {
    expect(attributesOf(undefined)).toEqual([])
    expect(attributesOf(['name', 'attr:level', 'orders', 'attr:taste'])).toEqual(['level', 'taste'])
    expect(attributesOf(Array.from({ length: 30 }, (_, i) => `attr:a${i}`))).toHaveLength(20)
  })
})
