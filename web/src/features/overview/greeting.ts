/** Parts of the day that are greeted differently. */
export type DayPart = 'morning' | 'noon' | 'afternoon' | 'evening' | 'night'

/** The part of the day that the instant falls into in the zone. */
export function dayPart(instant: number, zone: string): DayPart {
  const text = new Intl.DateTimeFormat('en-US', { timeZone: zone, hour: 'numeric', hourCycle: 'h23' }).format(instant)
  const hour = parseInt(text, 10)
  if (hour < 5) return 'night'
  if (hour < 11) return 'morning'
  if (hour < 13) return 'noon'
  if (hour < 18) return 'afternoon'
  return hour < 23 ? 'evening' : 'night'
}
