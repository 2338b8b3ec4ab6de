import { describe, expect, it } from 'vitest'
import { beyond, listed } from './limits'

describe('beyond', () => {
  const usage = { spread: [{ carry: 1, contacts: 90 }, { carry: 3, contacts: 7 }, { carry: 12, contacts: 2 }] }
  it('counts contacts that carry more', () => {
    expect([0, 1, 2, 3, 11, 12].map((n) => beyond(usage, n))).toEqual([0, 9, 9, 2, 2, 0])
  })
  it('is nobody while nothing is counted', () => expect(beyond(undefined, 1)).toBe(0))
})

describe('listed', () => {
  it('takes one value a line, once, and the first column of tables', () => {
    expect(listed('\uFEFF13800138000\r\n 400-810-0000 \n\n13800138000\n"a@b.cn",测试\n@test.cn;x\ny\tz')).toEqual(['13800138000', '400-810-0000', 'a@b.cn', '@test.cn', 'y'])
  })
})
