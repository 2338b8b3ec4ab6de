import { describe, expect, it } from 'vitest'
import { ready, type BulkForm } from './bulk'

const form = (over: Partial<BulkForm>): BulkForm => ({ state: 'withdrawn', purpose: 'marketing', channel: 'all', wording: 0, reason: '投诉名单', ...over })

describe('a change of many', () => {
  it('says why', () => {
    expect(ready(form({}))).toBe(true)
    expect(ready(form({ reason: '  ' }))).toBe(false)
    expect(ready(form({ purpose: '' }))).toBe(false)
  })
  it('grants only in a wording that was shown, and never lifts do not contact', () => {
    expect(ready(form({ state: 'granted' }))).toBe(false)
    expect(ready(form({ state: 'granted', wording: 2 }))).toBe(true)
    expect(ready(form({ state: 'granted', wording: 2, purpose: 'everything' }))).toBe(false)
    expect(ready(form({ purpose: 'everything' }))).toBe(true)
  })
})
