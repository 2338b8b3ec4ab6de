import type { Webhook, WebhookInput } from '@/shared/api/types'
import type { Tone } from '@/shared/ui/chips'

/** The events that can be told, in the order they are shown. */
export const EVENTS = ['segment.entered', 'segment.left'] as const
export type Told = (typeof EVENTS)[number]

/** How a webhook does, as one word: what the server calls active may be in trouble. */
export type Health = 'active' | 'failing' | 'paused' | 'stopped'

/** Paused by a person, or stopped because of a fault; active and well, or trying again after a fault. */
export function healthOf(w: Webhook): Health {
  if (w.state === 'paused') return w.fault ? 'stopped' : 'paused'
  return w.fault ? 'failing' : 'active'
}

export const TONES: Record<Health, Tone> = { active: 'good', failing: 'warn', paused: 'neutral', stopped: 'bad' }

/** What a webhook is made of, to change a part of it: the API replaces the whole. */
export function inputOf(w: Webhook, change: Partial<WebhookInput> = {}): WebhookInput {
  return { name: w.name, url: w.url, segments: w.segments, events: w.events, liveOnly: w.liveOnly ?? false, paused: w.state === 'paused', ...change }
}

/** The host of an address, which is what tells webhooks apart; the rest often carries a key. */
export function hostOf(url: string): string {
  try {
    return new URL(url).host
  } catch {
    return url
  }
}
