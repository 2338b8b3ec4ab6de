import { addDays, dayOf, dayStart, type Day } from '@/shared/lib/time'

/** The buckets of the board, in the order of their tabs. */
export const BUCKETS = ['today', 'overdue', 'upcoming', 'done'] as const
export type Bucket = (typeof BUCKETS)[number]

/** A day, and perhaps a time of it as a time field gives it. */
export interface When {
  day: Day
  time: string
}

/** The instant that is meant, in the company's zone; without a time, the whole day. */
export function dueOf({ day, time }: When, zone: string): { due: string; allDay: boolean } {
  const [h = 12, m = 0] = time ? time.split(':').map(Number) : []
  return { due: new Date(dayStart(day, zone).getTime() + (h * 60 + m) * 60_000).toISOString(), allDay: time === '' }
}

/** The day that is so many days from now. */
export const dayIn = (days: number, zone: string, now: number = Date.now()): Day => addDays(dayOf(now, zone), days)

/** Whether an open follow-up is late or due today; nothing when it is neither. */
export function urgencyOf(due: string, zone: string, now: number): 'late' | 'today' | undefined {
  const day = dayOf(due, zone)
  const today = dayOf(now, zone)
  return day < today ? 'late' : day === today ? 'today' : undefined
}
