import { addDays, dayOf, dayStart, type Day } from './time'

/** Periods offered by name. */
export const PRESETS = ['7d', '30d', '90d', 'month'] as const
export type Preset = (typeof PRESETS)[number]

/** A period of whole days in the company's time zone. */
export interface DayRange {
  preset: Preset | 'custom'
  /** First and last day, both included; what a person reads. */
  first: Day
  last: Day
  /** The same as instants for the API: from is included, to is not. */
  from: string
  to: string
}

/** The days a preset covers today. Counted presets end with today. */
export function presetDays(preset: Preset, today: Day): { first: Day; last: Day } {
  if (preset === 'month') return { first: today.slice(0, 8) + '01', last: today }
  return { first: addDays(today, 1 - parseInt(preset, 10)), last: today }
}

function isDay(v: string | null | undefined): v is Day {
  return !!v && /^\d{4}-\d{2}-\d{2}$/.test(v) && !Number.isNaN(Date.parse(v + 'T00:00:00Z'))
}

/** Turns first and last day into the instants the API takes. */
export function withInstants(preset: DayRange['preset'], first: Day, last: Day, zone: string): DayRange {
  return {
    preset,
    first,
    last,
    from: dayStart(first, zone).toISOString(),
    to: dayStart(addDays(last, 1), zone).toISOString(),
  }
}

/** Reads a range from the address: ?range=30d, or ?first=…&last=… . Nonsense falls back to the preset. */
export function parseRange(params: URLSearchParams, fallback: Preset, zone: string, now: number = Date.now()): DayRange {
  const first = params.get('first')
  const last = params.get('last')
  if (isDay(first) && isDay(last) && first <= last) return withInstants('custom', first, last, zone)
  const named = params.get('range')
  const preset = PRESETS.find((p) => p === named) ?? fallback
  const days = presetDays(preset, dayOf(now, zone))
  return withInstants(preset, days.first, days.last, zone)
}
