import { describe, expect, it } from 'vitest'
import type { Connector, ConnectorKind } from '@/shared/api/types'
import { callbackAddress, draftOf, inputOf } from './draft'

const kind = { name: 'wecom', quotas: [{ name: 'message.customer', per: 'day', most: 1, of: 'customer' }] } as unknown as ConnectorKind

describe('the form of an account', () => {
  it('sends what was typed, and nothing that was left empty', () => {
    expect(inputOf({ name: ' 总部 ', settings: { corpId: ' ww1 ', base: '' }, secrets: { secret: '', token: 'abc' }, limits: { 'quota.message.customer.day': 4, 'quota.api.hour': null } }, 'wecom')).toEqual({
      kind: 'wecom',
      name: '总部',
      settings: { corpId: 'ww1', 'quota.message.customer.day': '4' },
      secrets: { token: 'abc' },
    })
  })
  it('begins with the settings, limits apart, and knows no secrets', () => {
    const account = { name: '总部', settings: { corpId: 'ww1', 'quota.message.customer.day': '4' }, secrets: ['secret'] } as unknown as Connector
    const draft = draftOf(account, kind)
    expect(draft).toEqual({ name: '总部', settings: { corpId: 'ww1' }, limits: { 'quota.message.customer.day': 4 } })
    expect(inputOf(draft, 'wecom').settings).toEqual(account.settings)
  })
})

describe('the callback address', () => {
  it('is the server’s when it knows it', () => {
    const a = { callbackUrl: 'https://crm.example.com/hooks/wecom/ac_1', callbackPath: '/hooks/wecom/ac_1' } as Connector
    expect(callbackAddress(a, 'http://10.0.0.1')).toEqual({ url: 'https://crm.example.com/hooks/wecom/ac_1', guessed: false, plain: false })
  })
  it('else is guessed from the browser’s, and says so', () => {
    expect(callbackAddress({ callbackPath: '/hooks/wecom/ac_1' } as Connector, 'http://10.0.0.1')).toEqual({ url: 'http://10.0.0.1/hooks/wecom/ac_1', guessed: true, plain: true })
  })
})
