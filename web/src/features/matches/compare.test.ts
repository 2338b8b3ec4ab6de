import { describe, expect, it } from 'vitest'
import type { MatchFace } from '@/shared/api/types'
import { differences, linesOf, shareRight, strength } from './compare'

const marked = (pieces: { text: string; off: boolean }[]) => pieces.map((p) => (p.off ? `[${p.text}]` : p.text)).join('')
const diff = (a: string, b: string) => differences(a, b).map(marked)

describe('differences', () => {
  it('marks one slip as one letter', () => {
    expect(diff('1988-03-12', '1988-03-17')).toEqual(['1988-03-1[2]', '1988-03-1[7]'])
    expect(diff('138****8000', '138****8001')).toEqual(['138****800[0]', '138****800[1]'])
    expect(diff('张晓明', '张小明')).toEqual(['张[晓]明', '张[小]明'])
  })
  it('marks nothing in equal texts and all of strangers', () => {
    expect(diff('杭州', '杭州')).toEqual(['杭州', '杭州'])
    expect(diff('张伟', 'Li')).toEqual(['[张伟]', '[Li]'])
    expect(diff('', '张')).toEqual(['', '[张]'])
  })
  it('keeps characters beyond two bytes whole', () => {
    expect(diff('𠮷田', '吉田')).toEqual(['[𠮷]田', '[吉]田'])
  })
})

const face = (over: Partial<MatchFace>): MatchFace => ({
  id: 'c',
  name: '',
  kind: 'person',
  tags: [],
  orders: 0,
  revenue: [],
  createdAt: '2026-03-01T00:00:00Z',
  identities: [],
  ...over,
})

const identity = (kind: string, value: string) => ({ id: kind + value, kind, value, firstSeenAt: '', lastSeenAt: '', source: '' })

describe('linesOf', () => {
  it('lays the two side by side and leaves out what neither says', () => {
    const lines = linesOf({
      a: face({ name: '张伟', identities: [identity('phone', '138****8000'), identity('phone', '139****1111'), identity('device_id', 'x')] }),
      b: face({ name: 'Zhang Wei', birthday: '1988-03-12', identities: [identity('member_no', 'M1')] }),
      evidence: [{ field: 'name', level: 'latin', bits: 9.2 }],
    })
    expect(lines.map((l) => l.field)).toEqual(['name', 'phone', 'birthday', 'account'])
    expect(lines[0]?.evidence?.level).toBe('latin')
    expect(lines[1]).toEqual({ field: 'phone', a: ['138****8000', '139****1111'], b: [], evidence: undefined })
  })
})

describe('strength', () => {
  it('goes from strongly against to strongly for', () => {
    expect([-12, -4, -1, 0.2, 1, 4, 14].map(strength)).toEqual([-3, -2, -1, 0, 1, 2, 3])
  })
})

describe('shareRight', () => {
  const bands = [
    { from: 80, to: 90, right: 3, wrong: 3 },
    { from: 90, to: 100, right: 18, wrong: 0 },
  ]
  it('counts the bands that a span touches', () => {
    expect(shareRight(bands, 90)).toEqual({ share: 1, reviewed: 18 })
    expect(shareRight(bands, 80)).toEqual({ share: 21 / 24, reviewed: 24 })
    expect(shareRight(bands, 80, 90)).toEqual({ share: 0.5, reviewed: 6 })
  })
  it('claims nothing from a handful of reviews', () => {
    expect(shareRight([{ from: 80, to: 100, right: 4, wrong: 0 }], 80)).toBeUndefined()
  })
})
