import { describe, expect, it } from 'vitest'
import type { ConsentCell } from '@/shared/api/types'
import { linesOf } from './words'

const cell = (channel: ConsentCell['channel'], more: Partial<ConsentCell> = {}): ConsentCell => ({ channel, allowed: true, state: 'granted', reason: 'granted', since: '2026-03-01T00:00:00Z', source: 'page', ...more })

describe('linesOf', () => {
  it('says once what one word decided, allowed first', () => {
    const no = { allowed: false, state: 'withdrawn', reason: 'withdrawn', since: '2026-04-01T00:00:00Z' } as const
    expect(linesOf([cell('sms', no), cell('wecom'), cell('email')])).toEqual([
      { allowed: true, reason: 'granted', since: '2026-03-01T00:00:00Z', source: 'page', by: undefined, channels: ['wecom', 'email'] },
      { allowed: false, reason: 'withdrawn', since: '2026-04-01T00:00:00Z', source: 'page', by: undefined, channels: ['sms'] },
    ])
  })
  it('keeps apart what was said at different times or from different places', () => {
    expect(linesOf([cell('wecom'), cell('email', { since: '2026-03-02T00:00:00Z' }), cell('sms', { source: 'staff', by: '王芳' })])).toHaveLength(3)
  })
})
