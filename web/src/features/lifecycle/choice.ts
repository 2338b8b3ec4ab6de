import { addDays, dayOf, type Day } from '@/shared/lib/time'

/** A choice of a stage or pool by hand, as the API takes it. */
export interface Choice {
  state: string
  /** The last day on which it holds. */
  until: Day
  note: string
}

/** For how long choices mostly hold, in days. */
export const SPANS = [7, 30, 90, 365] as const

/** How far ahead a choice may hold, in days; the server says two years. */
const FARTHEST = 730

/** The days between which a choice may end, and the one proposed. */
export function spanOf(now: number, zone: string): { first: Day; last: Day; proposed: Day } {
  const today = dayOf(now, zone)
  return { first: today, last: addDays(today, FARTHEST), proposed: addDays(today, SPANS[1]) }
}

/** Whether a choice can be sent. */
export function isWhole(c: Partial<Choice>, now: number, zone: string): c is Choice {
  const { first, last } = spanOf(now, zone)
  return !!c.state && !!c.until && c.until >= first && c.until <= last && !!c.note?.trim()
}
