import { createHmac, timingSafeEqual } from 'node:crypto'
import { afterEach, expect, it, vi } from 'vitest'
import { DELIVERY, SAMPLES } from './samples'

// The same delivery is in TestSignature of internal/audience/webhook: what the server signs is what the sample accepts.
const secret = 'whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='
const body = '{"type":"test","events":[]}'
const signature = 'v1,ihsLleFeWjM2rIQ3bQvhLS/crq3/Kxt1W4eaJs6nql8='
const headers = { 'webhook-id': 'wd_1', 'webhook-timestamp': '1772330400', 'webhook-signature': signature }

type Verify = (secret: string, headers: Record<string, string>, body: string) => boolean
const verify = new Function('createHmac', 'timingSafeEqual', SAMPLES.node.replace(/^import.*\n/, '').replace('export function', 'return function'))(createHmac, timingSafeEqual) as Verify

afterEach(() => vi.useRealTimers())

it('accepts what the server signs, and nothing else', () => {
  vi.useFakeTimers({ now: 1_772_330_460_000 })
  expect(verify(secret, headers, body)).toBe(true)
  expect(verify(secret, { ...headers, 'webhook-signature': `v1,b3RoZXI= ${signature}` }, body)).toBe(true)
  expect(verify(secret, headers, body + ' ')).toBe(false)
  expect(verify(secret, { ...headers, 'webhook-id': 'wd_2' }, body)).toBe(false)
  expect(verify(secret, { ...headers, 'webhook-signature': 'v1,' }, body)).toBe(false)
  expect(verify('whsec_AAAA', headers, body)).toBe(false)
})

it('refuses what is old', () => {
  vi.useFakeTimers({ now: 1_772_331_400_000 })
  expect(verify(secret, headers, body)).toBe(false)
})

it('shows a delivery whose body is JSON', () => {
  const shown = JSON.parse(DELIVERY.split('\n\n')[1] ?? '') as { events: { event: string }[] }
  expect(shown.events[0]?.event).toBe('segment.entered')
})
