import { describe, expect, it } from 'vitest'
import { expiresAt, keyState } from './expiry'

const now = Date.parse('2026-03-01T00:00:00Z')

describe('token expiry', () => {
  it('turns a choice into a moment', () => {
    expect(expiresAt('never', now)).toBeUndefined()
    expect(expiresAt('d30', now)).toBe('2026-03-31T00:00:00.000Z')
    expect(expiresAt('d365', now)).toBe('2027-03-01T00:00:00.000Z')
  })
  it('says what a key is good for', () => {
    expect(keyState({}, now)).toBe('active')
    expect(keyState({ expiresAt: '2026-03-01T00:00:00Z' }, now)).toBe('expired')
    expect(keyState({ expiresAt: '2026-03-01T00:00:01Z' }, now)).toBe('active')
    expect(keyState({ expiresAt: '2030-01-01T00:00:00Z', revokedAt: '2026-01-01T00:00:00Z' }, now)).toBe('revoked')
  })
})
