import { describe, expect, it } from 'vitest'
import type { TFunction } from 'i18next'
import { appName, deviceName } from './device'

const t = ((key: string) => key) as unknown as TFunction<'links'>

describe('what a link was opened with', () => {
  it('reads in words, and as it is where there are none', () => {
    expect(deviceName('phone', t)).toBe('device.phone')
    expect(deviceName('watch', t)).toBe('watch')
    expect(appName('wechat', t)).toBe('app.wechat')
    expect(appName('lynx', t)).toBe('lynx')
  })
})
