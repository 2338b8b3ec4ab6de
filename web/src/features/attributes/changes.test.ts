import { expect, test } from 'vitest'
import type { AttributeDef } from '@/shared/api/types'
import { changesOf, mergeTargets, NONE, RETIRE, retiredOf, STAY, targetsOf } from './changes'

const options = [
  { id: 'a', label: '绿茶' },
  { id: 'b', label: '龙井' },
  { id: 'c', label: '不喝', retired: true },
]

test('only options that go are sent, with what takes their place', () => {
  expect(changesOf({ a: STAY, b: 'a', c: RETIRE })).toEqual([{ option: 'b', to: 'a' }])
  expect(changesOf({ a: STAY, b: NONE, c: NONE })).toEqual([{ option: 'b' }, { option: 'c' }])
  expect(changesOf({})).toEqual([])
})

test('an option that goes itself takes no other one’s place', () => {
  expect(targetsOf(options, { a: STAY, b: NONE, c: RETIRE }, 'a').map((o) => o.id)).toEqual(['c'])
  expect(targetsOf(options, {}, 'b').map((o) => o.id)).toEqual(['a', 'c'])
})

test('options are written anew only when another one is offered or retired', () => {
  expect(retiredOf(options, { a: STAY, b: STAY, c: RETIRE })).toBeUndefined()
  expect(retiredOf(options, { a: RETIRE, b: STAY, c: STAY })?.map((o) => o.retired)).toEqual([true, false, false])
  expect(retiredOf(options, { a: STAY, b: 'a', c: RETIRE })).toBeUndefined() // what goes is not retired
})

test('an attribute merges into one in use, not unique, and as well guarded', () => {
  const def = (key: string, more: Partial<AttributeDef> = {}) => ({ key, type: 'text', ...more }) as AttributeDef
  const all = [def('self'), def('open'), def('once', { unique: true }), def('old', { archived: true }), def('busy', { settling: true }), def('secret', { personal: 'sensitive' })]
  expect(mergeTargets(def('self'), all).map((a) => a.key)).toEqual(['open', 'secret'])
  expect(mergeTargets(def('self', { personal: 'personal' }), all).map((a) => a.key)).toEqual(['secret'])
})
