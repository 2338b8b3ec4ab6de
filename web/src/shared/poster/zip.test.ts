import { describe, expect, it } from 'vitest'
import { FIRST, inside } from './poster'
import { crc32, zip } from './zip'

const text = (s: string) => new TextEncoder().encode(s)

describe('zip', () => {
  it('sums as everybody does', () => {
    expect(crc32(text('123456789'))).toBe(0xcbf43926)
  })
  it('has each file where its directory says, under names of their own', () => {
    const out = zip([
      { name: '南京路店.png', data: text('one') },
      { name: '南京路店.png', data: text('two!') },
    ])
    const v = new DataView(out.buffer)
    const end = out.length - 22
    expect(v.getUint32(end, true)).toBe(0x06054b50)
    expect(v.getUint16(end + 10, true)).toBe(2)
    let at = v.getUint32(end + 16, true)
    const seen: [string, string][] = []
    for (let i = 0; i < 2; i++) {
      expect(v.getUint32(at, true)).toBe(0x02014b50)
      const size = v.getUint32(at + 24, true)
      const length = v.getUint16(at + 28, true)
      const from = v.getUint32(at + 42, true)
      expect(v.getUint32(from, true)).toBe(0x04034b50)
      const data = out.slice(from + 30 + length, from + 30 + length + size)
      expect(v.getUint32(at + 16, true)).toBe(crc32(data))
      seen.push([new TextDecoder().decode(out.slice(at + 46, at + 46 + length)), new TextDecoder().decode(data)])
      at += 46 + length
    }
    expect(seen).toEqual([
      ['南京路店.png', 'one'],
      ['南京路店 (2).png', 'two!'],
    ])
  })
})

describe('a poster', () => {
  it('keeps its code on the paper', () => {
    const ratio = 1.5
    for (const x of [-1, 0.2, 5]) {
      const l = inside({ ...FIRST, x, y: x, size: 3 }, ratio)
      expect(l.x).toBeGreaterThanOrEqual(0)
      expect(l.x + l.size).toBeLessThanOrEqual(1)
      expect(l.y + l.size / ratio).toBeLessThanOrEqual(1.0000001)
    }
  })
})
