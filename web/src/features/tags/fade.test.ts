import { describe, expect, it } from 'vitest'
import { complete, lasts, left, loseOf, newScore } from './fade'

describe('scores that fade', () => {
  it('halves with every half-life', () => {
    expect(left(8, 0, 7)).toBe(8)
    expect(left(8, 7, 7)).toBe(4)
    expect(left(8, 21, 7)).toBe(1)
  })
  it('lets the tag go at half of the score unless told otherwise', () => {
    expect(loseOf({ have: 5 })).toBe(2.5)
    expect(loseOf({ have: 5, lose: 1 })).toBe(1)
    expect(lasts({ have: 5, halfLife: 14 })).toBe(14)
    expect(lasts({ have: 8, lose: 1, halfLife: 10 })).toBe(30)
    expect(lasts({ have: 0, halfLife: 10 })).toBe(0)
  })
  it('is complete when each row has an event and points', () => {
    expect(complete(newScore())).toBe(false)
    expect(complete({ ...newScore(), events: [{ name: 'order.paid', weight: 2 }] })).toBe(true)
    expect(complete({ ...newScore(), events: [{ name: 'order.paid', weight: 0 }] })).toBe(false)
    expect(complete({ ...newScore(), events: [] })).toBe(false)
  })
})
