import { expect, test } from 'vitest'
import { firstDesign, keyed, moved, newBlock, offered, plain, slugOf } from './blocks'

test('a page has one form', () => {
  expect(offered([{ kind: 'text' }])).toContain('form')
  expect(offered([{ kind: 'form' }])).not.toContain('form')
  expect(firstDesign('en').blocks?.filter((b) => b.kind === 'form')).toHaveLength(1)
})

test('a form asks for what people are recognised by', () => {
  expect(newBlock('form').fields?.[0]).toEqual({ key: 'phone', required: true })
})

test('blocks move, and stay at the ends', () => {
  expect(moved(['a', 'b', 'c'], 0, 1)).toEqual(['b', 'a', 'c'])
  expect(moved(['a', 'b', 'c'], 0, -1)).toEqual(['a', 'b', 'c'])
  expect(moved(['a', 'b', 'c'], 2, 1)).toEqual(['a', 'b', 'c'])
})

test('keys are for the screen alone', () => {
  const list = keyed([{ kind: 'text', text: 'x' }, { kind: 'text', text: 'x' }])
  expect(list[0]?.key).not.toBe(list[1]?.key)
  expect(plain(list)).toEqual([{ kind: 'text', text: 'x' }, { kind: 'text', text: 'x' }])
})

test('addresses come out of titles', () => {
  expect(slugOf('  Spring Tea, 2026! ')).toBe('spring-tea-2026')
  expect(slugOf('明前龙井')).toBe('')
  expect(slugOf('a'.repeat(59) + ' b')).toBe('a'.repeat(59))
})
