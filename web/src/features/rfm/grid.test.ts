import { describe, expect, it } from 'vitest'
import type { Rfm } from '@/shared/api/types'
import { groupLink, shade, squareLink, squares } from './grid'

const data = { cells: [{ r: 5, f: 5, m: 4, people: 3, money: 30 }, { r: 5, f: 5, m: 5, people: 2, money: 50 }, { r: 1, f: 1, m: 4, people: 1, money: 7 }] } as Rfm

describe('the RFM grid', () => {
  it('gathers cells along an axis', () => {
    const f = squares(data, 'f')
    expect(f).toHaveLength(25)
    expect(f[4]).toEqual({ r: 5, x: 5, people: 5, money: 80 })
    expect(f[20]).toEqual({ r: 1, x: 1, people: 1, money: 7 })
    expect(squares(data, 'm')[3]).toEqual({ r: 5, x: 4, people: 3, money: 30 })
  })
  it('opens the people of a square', () => {
    expect(decodeURIComponent(squareLink('value', 'm', { r: 5, x: 4, people: 3, money: 30 }))).toBe(
      '/contacts?where={"v":1,"all":[{"field":"rfmScore","key":"value","op":"in","value":["r5"]},{"field":"rfmScore","key":"value","op":"in","value":["m4"]}]}',
    )
    expect(decodeURIComponent(groupLink('value', 'best'))).toContain('"value":["best"]')
  })
  it('shades by how many there are', () => {
    expect([shade(0, 9), shade(1, 100), shade(25, 100), shade(100, 100)]).toEqual([0, 0, 2, 4])
  })
})
