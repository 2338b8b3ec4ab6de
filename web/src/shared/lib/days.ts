import { useCallback, useMemo } from 'react'
import { useSearchParams } from 'react-router'
import { useTimezone } from './session'
import { addDays, dayStart, type Day } from './time'
import { useUrlPatch } from './url'

/** A span of whole days that may be open at either end, in the company's time zone. */
export interface DaySpan {
  first?: Day
  last?: Day
  /** The same as instants for the API: from is included, to is not. */
  from?: string
  to?: string
}

function day(text: string | null): Day | undefined {
  if (!text || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined
  const at = Date.parse(text + 'T00:00:00Z')
  // A day that does not exist, such as 02-30, either fails to parse or lands on another day.
  return Number.isNaN(at) || new Date(at).toISOString().slice(0, 10) !== text ? undefined : text
}

/** Reads a span from two texts; what is no day counts as open, and a span that runs backwards as none. */
export function parseDays(first: string | null, last: string | null, zone: string): DaySpan {
  const a = day(first)
  const b = day(last)
  if (a && b && a > b) return {}
  return {
    ...(a && { first: a, from: dayStart(a, zone).toISOString() }),
    ...(b && { last: b, to: dayStart(addDays(b, 1), zone).toISOString() }),
  }
}

/** A span of days in the address, as ?<name>From=…&<name>To=… . */
export function useUrlDays(name: string): [DaySpan, (next: { first?: Day; last?: Day }) => void] {
  const [params] = useSearchParams()
  const patch = useUrlPatch()
  const zone = useTimezone()
  const [a, b] = [params.get(`${name}From`), params.get(`${name}To`)]
  const value = useMemo(() => parseDays(a, b, zone), [a, b, zone])
  const set = useCallback(
    (next: { first?: Day; last?: Day }) => patch({ [`${name}From`]: next.first, [`${name}To`]: next.last }),
    [patch, name],
  )
  return [value, set]
}
