import { describe, expect, it } from 'vitest'
import type { AttributeDef, Contact } from '@/shared/api/types'
import { optionsOf, profileRows } from './rows'

const def = (over: Partial<AttributeDef>): AttributeDef => ({ key: 'k', nameZh: 'k', type: 'text', archived: false, settling: false, people: 0, unfit: 0, violations: 0, createdAt: '', updatedAt: '', ...over }) as AttributeDef

describe('profileRows', () => {
  const contact = { gender: 'female', attributes: [{ key: 'level', label: '等级', value: 'gold' }, { key: 'stray', label: 'stray', value: 'x' }, { key: 'gone', label: 'gone', value: 1 }] } as unknown as Contact
  it('shows defined ones without a value, too, strays last, archived never', () => {
    const groups = profileRows(contact, [{ key: 'gender', type: 'enum' }], [def({ key: 'level', group: '会员' }), def({ key: 'empty' }), def({ key: 'gone', archived: true })])
    expect(groups.map((g) => [g.group, g.rows.map((r) => r.of.key)])).toEqual([
      ['', ['gender', 'empty', 'stray']],
      ['会员', ['level']],
    ])
    expect(groups[0]?.rows[0]?.value).toBe('female')
    expect(groups[0]?.rows[2]?.defined).toBe(false)
  })
})

describe('optionsOf', () => {
  const old = [
    { id: 'a', label: '金' },
    { id: 'b', label: '银' },
  ]
  it('keeps ids by label, and in place when a label is rewritten', () => {
    expect(optionsOf('银\n铜\n\n金', old)).toEqual([{ id: 'b', label: '银' }, { id: '', label: '铜' }, { id: 'a', label: '金' }])
    expect(optionsOf('黄金\n银', old)).toEqual([{ id: 'a', label: '黄金' }, { id: 'b', label: '银' }])
    expect(optionsOf('金\n金', old)).toEqual([{ id: 'a', label: '金' }])
  })
})
