import { Users } from 'lucide-react'
import { expect, it } from 'vitest'
import { grouped, matches, move, type Entry, type GroupKey } from './entries'

const entry = (id: string, group: GroupKey): Entry => ({ id, group, label: id, icon: Users, run: () => undefined })

it('puts results above pages and leaves empty groups out', () => {
  const groups = grouped([entry('p', 'pages'), entry('c1', 'contacts'), entry('a', 'actions'), entry('c2', 'contacts')])
  expect(groups.map((g) => [g.group, g.entries.map((e) => e.id)])).toEqual([
    ['contacts', ['c1', 'c2']],
    ['pages', ['p']],
    ['actions', ['a']],
  ])
})

it('matches every word, in the label or the path', () => {
  expect(matches('', '客户', '/contacts')).toBe(true)
  expect(matches('CONT', '客户', '/contacts')).toBe(true)
  expect(matches('客 con', '客户', '/contacts')).toBe(true)
  expect(matches('客户 订单', '客户', '/contacts')).toBe(false)
})

it('goes round at both ends', () => {
  expect(move(2, 1, 3)).toBe(0)
  expect(move(0, -1, 3)).toBe(2)
  expect(move(0, 1, 0)).toBe(0)
})
