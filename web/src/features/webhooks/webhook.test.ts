import { expect, it } from 'vitest'
import type { Webhook } from '@/shared/api/types'
import { healthOf, hostOf, inputOf } from './webhook'

const hook = (over: Partial<Webhook> = {}): Webhook => ({
  id: 'wh_1', name: 'CRM', url: 'https://crm.example.com/in?key=1', segments: ['sg_1'], events: ['segment.entered'], state: 'active', waiting: 0, dead: 0, sent: 3,
  createdAt: '2026-03-01T00:00:00Z', changedAt: '2026-03-01T00:00:00Z', ...over,
})

it('tells trouble from rest', () => {
  expect(healthOf(hook())).toBe('active')
  expect(healthOf(hook({ fault: 'webhook.slow' }))).toBe('failing')
  expect(healthOf(hook({ state: 'paused' }))).toBe('paused')
  expect(healthOf(hook({ state: 'paused', fault: 'webhook.gone' }))).toBe('stopped')
})

it('changes one thing and leaves the rest', () => {
  const of = { name: 'CRM', url: 'https://crm.example.com/in?key=1', segments: ['sg_1'], events: ['segment.entered'] }
  expect(inputOf(hook(), { paused: true })).toEqual({ ...of, liveOnly: false, paused: true })
  // What is edited while it is paused stays paused.
  expect(inputOf(hook({ state: 'paused', liveOnly: true }), { name: 'ERP' })).toEqual({ ...of, name: 'ERP', liveOnly: true, paused: true })
})

it('names an address by its host', () => {
  expect(hostOf('https://crm.example.com:8443/in?key=1')).toBe('crm.example.com:8443')
  expect(hostOf('not an address')).toBe('not an address')
})
