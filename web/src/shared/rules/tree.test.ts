import { describe, expect, it } from 'vitest'
import type { Rule, RuleNode } from '@/shared/api/types'
import { begin, proceed } from './history'
import { duplicate, faultAt, fits, fromRule, heightOf, insert, isGroup, locate, moveTo, newGroup, newLeaf, remove, sizeOf, step, toRule, unwrap, update, wrap, wraps, type Group, type Item, type Leaf } from './tree'

const on = (field: string): RuleNode => ({ field, op: 'set' })
const rule = (node: RuleNode): Rule => ({ v: 1, ...node }) as Rule
/** The tree as a short text: letters are conditions, brackets are groups. */
const draw = (i: Item): string => (isGroup(i) ? `${{ all: '&', any: '|', none: '!' }[i.kind]}(${i.parts.map(draw).join(' ')})` : (i.node.field ?? '?'))
const idOf = (root: Group, field: string): string => {
  const look = (i: Item): string | undefined => (isGroup(i) ? i.parts.map(look).find(Boolean) : i.node.field === field ? i.id : undefined)
  return look(root)!
}
const around = (root: Group, field: string): string => locate(root, idOf(root, field))!.group
const sample = () => fromRule(rule({ all: [on('a'), { any: [on('b'), { none: [on('c')] }] }, on('d')] }))

describe('tree', () => {
  it('goes to the editor and back unchanged, whatever stands on top', () => {
    const full = rule({ all: [on('a'), { any: [on('b'), { none: [{ event: { name: 'order.paid', op: 'gte', value: 2 } }] }] }] })
    expect(toRule(fromRule(full)).rule).toEqual(full)
    expect(toRule(fromRule(rule(on('a')))).rule).toEqual({ v: 1, all: [on('a')] })
    for (const everybody of [undefined, { v: 1 } as Rule, rule({ all: [] })]) {
      expect(draw(fromRule(everybody))).toBe('&()')
      expect(toRule(fromRule(everybody)).rule).toBeUndefined()
    }
  })

  it('leaves out what is off, not filled in or empty, and counts it', () => {
    let root = fromRule(rule({ all: [on('a'), { any: [{ field: 'x', op: 'is', value: '' }] }, { any: [on('b'), on('c')] }, { event: { name: '' } }] }))
    root = update<Leaf>(root, idOf(root, 'b'), (i) => ({ ...i, off: true }))
    const said = toRule(root)
    expect(said.rule).toEqual({ v: 1, all: [on('a'), { any: [on('c')] }] })
    expect([said.unfinished, said.off]).toEqual([2, 1])
    // Paths are those of what is sent, not of what is on screen.
    expect(said.at.get('all[1].any[0]')).toBe(idOf(root, 'c'))
  })

  it('finds the part that an error speaks of', () => {
    const root = fromRule(rule({ all: [on('a'), { any: [on('b'), { sequence: { steps: [{ name: 'x' }, { name: 'y' }] } }] }] }))
    const { at } = toRule(root)
    expect(faultAt('where.all[0].value', at)).toEqual({ id: idOf(root, 'a'), rest: 'value' })
    expect(faultAt('filter.where.all.1.any.0.op', at)).toEqual({ id: idOf(root, 'b'), rest: 'op' })
    expect(faultAt('all[1].any[1].sequence.steps[0].name', at)).toMatchObject({ rest: 'sequence.steps[0].name' })
    expect(faultAt('rule.all[1].any', at)).toEqual({ id: around(root, 'b'), rest: 'any' })
    expect(faultAt('rule', at)).toEqual({ id: root.id, rest: '' })
    expect(faultAt('rule.all[7].value', at)).toEqual({ id: root.id, rest: 'all[7].value' })
  })

  it('moves parts between groups, as places are counted before the move', () => {
    const root = sample()
    const inner = around(root, 'b')
    expect(draw(root)).toBe('&(a |(b !(c)) d)')
    expect(draw(moveTo(root, idOf(root, 'a'), { group: inner, index: 1 }))).toBe('&(|(b a !(c)) d)')
    expect(draw(moveTo(root, idOf(root, 'a'), { group: root.id, index: 3 }))).toBe('&(|(b !(c)) d a)')
    expect(draw(moveTo(root, idOf(root, 'c'), { group: root.id, index: 0 }))).toBe('&(c a |(b !()) d)')
    // Where it is already, nothing changes, not even the object.
    expect(moveTo(root, idOf(root, 'a'), { group: root.id, index: 0 })).toBe(root)
    expect(moveTo(root, idOf(root, 'a'), { group: root.id, index: 1 })).toBe(root)
  })

  it('moves no group into itself and nothing too deep', () => {
    const root = sample()
    const inner = around(root, 'b')
    expect(moveTo(root, inner, { group: around(root, 'c'), index: 0 })).toBe(root)
    expect(moveTo(root, inner, { group: inner, index: 0 })).toBe(root)
    let deep = fromRule(rule({ all: [{ any: [{ all: [{ any: [{ all: [on('z')] }] }] }] }, on('a'), { any: [on('b')] }] }))
    expect(heightOf(deep)).toBe(5)
    expect(fits(deep, newLeaf(on('q')), around(deep, 'z'))).toBe(true)
    expect(fits(deep, newGroup('any'), around(deep, 'z'))).toBe(false)
    expect(moveTo(deep, around(deep, 'b'), { group: around(deep, 'z'), index: 0 })).toBe(deep)
    expect(wraps(deep, idOf(deep, 'z'))).toBe(false)
    expect(wrap(deep, idOf(deep, 'z'))).toBe(deep)
    deep = wrap(deep, idOf(deep, 'a'))
    expect(draw(deep)).toContain('|(a)')
  })

  it('steps through every place with the keyboard and back again', () => {
    let root = sample()
    const id = idOf(root, 'a')
    const seen = [draw(root)]
    for (let i = 0; i < 20; i++) {
      const next = step(root, id, 1)
      if (next === root) break
      root = next
      seen.push(draw(root))
    }
    expect(seen).toEqual(['&(a |(b !(c)) d)', '&(|(a b !(c)) d)', '&(|(b a !(c)) d)', '&(|(b !(a c)) d)', '&(|(b !(c a)) d)', '&(|(b !(c) a) d)', '&(|(b !(c)) a d)', '&(|(b !(c)) d a)'])
    for (const want of seen.toReversed().slice(1)) {
      root = step(root, id, -1)
      expect(draw(root)).toBe(want)
    }
    expect(step(root, id, -1)).toBe(root)
  })

  it('wraps, unwraps, copies and takes away', () => {
    let root = sample()
    root = wrap(root, idOf(root, 'd'))
    expect(draw(root)).toBe('&(a |(b !(c)) |(d))')
    root = wrap(root, idOf(root, 'b')) // within any, the group around is all
    expect(draw(root)).toBe('&(a |(&(b) !(c)) |(d))')
    root = unwrap(root, around(root, 'd'))
    expect(draw(root)).toBe('&(a |(&(b) !(c)) d)')
    expect(unwrap(root, around(root, 'c'))).toBe(root) // without "none", c would say the opposite
    const twice = duplicate(root, around(root, 'b'))
    expect(draw(twice)).toBe('&(a |(&(b) &(b) !(c)) d)')
    const ids = (i: Item): string[] => [i.id, ...(isGroup(i) ? i.parts.flatMap(ids) : [])]
    expect(new Set(ids(twice)).size).toBe(ids(twice).length)
    expect(sizeOf(twice)).toBe(5)
    expect(draw(remove(twice, around(twice, 'c')))).toBe('&(a |(&(b) &(b)) d)')
    expect(draw(insert(root, { group: root.id, index: 99 }, newLeaf(on('e'))))).toBe('&(a |(&(b) !(c)) d e)')
  })
})

describe('history', () => {
  it('undoes and does again, takes typing as one change, and forgets what was undone when something else is done', () => {
    const root = sample()
    const rename = (to: string) => (now: Group) => update<Leaf>(now, idOf(root, 'a'), (i) => ({ ...i, node: on(to) }))
    let h = begin(root)
    h = proceed(h, { change: rename('x'), tag: 'a', time: 5000 })
    h = proceed(h, { change: rename('xy'), tag: 'a', time: 5400 })
    h = proceed(h, { change: rename('xyz'), tag: 'a', time: 9000 })
    h = proceed(h, { change: (now) => now, time: 9100 })
    expect(h.past).toHaveLength(2)
    h = proceed(h, 'undo')
    expect(draw(h.now)).toBe('&(xy |(b !(c)) d)')
    h = proceed(h, 'undo')
    expect(h.now).toBe(root)
    expect(proceed(h, 'undo')).toBe(h)
    h = proceed(h, 'redo')
    expect(draw(h.now)).toBe('&(xy |(b !(c)) d)')
    // Typing after an undo is a change of its own.
    h = proceed(h, { change: rename('w'), tag: 'a', time: 9200 })
    expect([h.past.length, h.future.length]).toEqual([2, 0])
    expect(proceed(h, 'redo')).toBe(h)
  })
})
