import { parseRange, presetDays, PRESETS, withInstants, type DayRange } from '@/shared/lib/range'
import { addDays, dayOf, dayStart } from '@/shared/lib/time'
import type { UrlPatch } from '@/shared/lib/url'

/** The numbers whose people can be opened. */
const METRICS = ['size', 'new', 'active', 'visitors', 'buyers', 'repeat', 'firstBuyers', 'cohort'] as const

/** What the API is asked for. */
export interface PeopleQuery {
  metric: string
  from: string
  to: string
  channel?: string
  currency?: string
}

/** Which people, of which time. */
export interface PeopleScope {
  metric: (typeof METRICS)[number] | 'event' | 'viewed' | 'submitted' | 'link'
  /** The event's name when the metric is one. */
  event: string
  channel: string
  range: DayRange
  query: PeopleQuery
}

const EVENT = 'event:'
/** Figures of a landing page or a short link: page:<id>:viewed, page:<id>:submitted, link:<code>. */
const VISITS = /^(?:page:[^:]+:(viewed|submitted)|(link):[^:]+)$/

function instant(text: string | null): number | undefined {
  if (!text) return undefined
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : at
}

/** Instants that fall on day borders are whole days, and may be a period with a name. */
function rangeOf(from: number, to: number, zone: string, now: number): DayRange {
  const [first, last] = [dayOf(from, zone), dayOf(to - 1, zone)]
  const whole = dayStart(first, zone).getTime() === from && dayStart(addDays(last, 1), zone).getTime() === to
  const today = dayOf(now, zone)
  const named = whole ? PRESETS.find((p) => { const d = presetDays(p, today); return d.first === first && d.last === last }) : undefined
  return { preset: named ?? 'custom', first, last, from: new Date(from).toISOString(), to: new Date(to).toISOString() }
}

/** Reads who is asked for from the address. Undefined when the metric is none. Instants count to the millisecond, so that the list is as long as the number said. */
export function readPeople(params: URLSearchParams, zone: string, now: number = Date.now()): PeopleScope | undefined {
  const text = params.get('metric') ?? ''
  const event = text.startsWith(EVENT) ? text.slice(EVENT.length) : ''
  const visit = VISITS.exec(text)
  const metric = event ? ('event' as const) : visit ? ((visit[1] ?? visit[2]) as 'viewed' | 'submitted' | 'link') : METRICS.find((m) => m === text)
  if (!metric) return undefined
  const [from, to] = [instant(params.get('from')), instant(params.get('to'))]
  const range = from !== undefined && to !== undefined && from < to ? rangeOf(from, to, zone, now) : parseRange(params, '30d', zone, now)
  const channel = params.get('channel') ?? ''
  const currency = params.get('currency') ?? ''
  const query = { metric: text, from: range.from, to: range.to, ...(channel && { channel }), ...(currency && { currency }) }
  return { metric, event, channel, range, query }
}

/** Writes another period into the address. */
export function writePeriod(next: { preset: (typeof PRESETS)[number] } | { first: string; last: string }, zone: string, now: number = Date.now()): UrlPatch {
  const days = 'preset' in next ? presetDays(next.preset, dayOf(now, zone)) : next
  const { from, to } = withInstants('custom', days.first, days.last, zone)
  return { from, to, range: '', first: '', last: '' }
}

/** The home page with the same period and channel, to go back to. */
export function homeLink({ range, channel, query: { currency } }: Pick<PeopleScope, 'range' | 'channel' | 'query'>): string {
  const query = new URLSearchParams()
  if (range.preset === 'custom') {
    query.set('first', range.first)
    query.set('last', range.last)
  } else if (range.preset !== '30d') query.set('range', range.preset)
  if (channel) query.set('channel', channel)
  if (currency) query.set('currency', currency)
  const text = query.toString()
  return text ? `/home?${text}` : '/home'
}
