import { describe, expect, it } from 'vitest'
import type { MenuButton } from '@/shared/api/types'
import { added, pathOf, put, removed, room, same, shifted } from './menu'
import { complete, firstOf, moved } from './rule'

const list: MenuButton[] = [{ name: '买茶', sub: [{ name: '新品', kind: 'view', url: 'https://a.example' }, { name: '乌龙', kind: 'reply', reply: 'rp_1' }] }, { name: '会员', kind: 'reply', reply: 'rp_2' }]

describe('a menu being edited', () => {
  it('moves buttons among those beside them, and not further', () => {
    expect(shifted(list, { top: 0 }, 1).list.map((b) => b.name)).toEqual(['会员', '买茶'])
    expect(shifted(list, { top: 0, sub: 1 }, 0).list[0]?.sub?.map((b) => b.name)).toEqual(['乌龙', '新品'])
    expect(shifted(list, { top: 0, sub: 1 }, 9).at).toEqual({ top: 0, sub: 1 })
    expect(moved([1, 2, 3], 0, 2)).toEqual([2, 3, 1])
  })
  it('gives up what a button did when it opens others, and is a button again when the last is gone', () => {
    const more = added(list, 1, '积分')
    expect(more.at).toEqual({ top: 1, sub: 0 })
    expect(more.list[1]).toEqual({ name: '会员', sub: [{ name: '积分', kind: 'reply' }] })
    expect(removed(more.list, more.at)[1]).toEqual({ name: '会员', kind: 'reply' })
    expect(removed(list, { top: 0 })).toHaveLength(1)
  })
  it('knows whether it changed, and where the server means', () => {
    expect(same(list, put(list, { top: 1 }, { name: '会员', kind: 'reply', reply: 'rp_2', url: '' }))).toBe(true)
    expect(same(list, put(list, { top: 0, sub: 0 }, { name: '新品', kind: 'view', url: 'https://b.example' }))).toBe(false)
    expect(pathOf({ top: 2, sub: 4 })).toBe('buttons[2].sub[4]')
    expect(room({ name: '五个汉字名' }, { top: 0 })).toEqual({ bytes: 15, most: 16 })
    expect(room({ name: '会员中心' }, { top: 0, sub: 1 }).most).toBe(60)
  })
})

describe('a rule being written', () => {
  it('is complete when each content has what it needs', () => {
    expect(complete({ kind: 'text', text: ' ' })).toBe(false)
    expect(complete({ kind: 'link', title: 'a', url: 'https://a.example' })).toBe(true)
    expect(complete({ kind: 'miniprogram', title: 'a', appId: 'wx', appPath: 'p' })).toBe(false)
    expect(firstOf('ac', 'keyword').words).toHaveLength(1)
    expect(firstOf('ac', 'default').everyHours).toBe(1)
  })
})
