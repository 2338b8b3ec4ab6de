import { describe, expect, it } from 'vitest'
import type { TFunction } from 'i18next'
import { inOrder, optionOf, purposeOf } from './kinds'

const t = ((key: string) => key) as unknown as TFunction<'connectors'>

describe('kinds of account', () => {
  it('begin with WeCom and end with those that have no words', () => {
    const names = inOrder([{ name: 'mail' }, { name: 'fax' }, { name: 'sms.aliyun' }, { name: 'wecom' }]).map((k) => k.name)
    expect(names).toEqual(['wecom', 'sms.aliyun', 'mail', 'fax'])
  })

  it('say what they are for', () => {
    expect(purposeOf('sms.tencent', t)).toBe('new.what.tencent')
    expect(purposeOf('fax', t)).toBeUndefined()
  })

  it('read our own values in words and leave those of platforms', () => {
    expect(optionOf('none', t)).toBe('settings.option.none')
    expect(optionOf('ap-beijing', t)).toBe('ap-beijing')
  })
})
