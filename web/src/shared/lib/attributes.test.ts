import { describe, expect, it } from 'vitest'
import { attributeName, majorUnits, regionPath, regionTree } from './attributes'

const places = [
  { code: '330000', name: '浙江省' },
  { code: '330100', name: '杭州市', parent: '330000' },
  { code: '330106', name: '西湖区', parent: '330100' },
  { code: '810000', name: '香港特别行政区' },
]

describe('regions', () => {
  it('nests places in the one they are in', () => {
    const tree = regionTree(places)
    expect(tree.map((n) => n.value)).toEqual(['330000', '810000'])
    expect(tree[0]?.children?.[0]?.children?.[0]?.label).toBe('西湖区')
  })
  it('finds the way down to a place', () => {
    expect(regionPath(places, '330106').map((p) => p.name)).toEqual(['浙江省', '杭州市', '西湖区'])
    expect(regionPath(places, '999999')).toEqual([])
  })
})

describe('names and amounts', () => {
  it('falls back to the other language, then to the key', () => {
    expect(attributeName({ key: 'k', type: 'text', nameZh: '口味' }, 'en')).toBe('口味')
    expect(attributeName({ key: 'k', type: 'text', nameZh: '口味', nameEn: 'Taste' }, 'en')).toBe('Taste')
    expect(attributeName({ key: 'k', type: 'text' }, 'zh-CN')).toBe('k')
  })
  it('writes minor units as typed', () => {
    expect(majorUnits(12050, 2)).toBe('120.5')
    expect(majorUnits(1200, 0)).toBe('1200')
  })
})
