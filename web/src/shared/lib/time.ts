/** A calendar day as YYYY-MM-DD, without a time zone. */
export type Day = string

const DAY_MS = 86_400_000

const formats = new Map<string, Intl.DateTimeFormat>()

function dateFormat(lang: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = lang + JSON.stringify(options)
  let f = formats.get(key)
  if (!f) formats.set(key, (f = new Intl.DateTimeFormat(lang, options)))
  return f
}

/** Whether Intl knows the time zone. */
export function isTimezone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}

/** Wall-clock parts of an instant in a zone. */
function wall(instant: number, zone: string): Record<'year' | 'month' | 'day' | 'hour' | 'minute' | 'second', number> {
  const parts = dateFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(instant)
  const get = (t: string) => Number(parts.find((p) => p.type === t)?.value ?? 0)
  return { year: get('year'), month: get('month'), day: get('day'), hour: get('hour'), minute: get('minute'), second: get('second') }
}

/** How far the zone is ahead of UTC at the instant, in milliseconds. */
function offsetAt(instant: number, zone: string): number {
  const w = wall(instant, zone)
  return Date.UTC(w.year, w.month - 1, w.day, w.hour, w.minute, w.second) - Math.floor(instant / 1000) * 1000
}

/** The instant at which the day begins in the zone. */
export function dayStart(day: Day, zone: string): Date {
  const midnight = Date.parse(day + 'T00:00:00Z')
  // The offset is looked up at the guess and again at the result: a day on which clocks change needs both.
  const first = midnight - offsetAt(midnight, zone)
  return new Date(midnight - offsetAt(first, zone))
}

/** The calendar day of an instant in the zone. */
export function dayOf(instant: Date | number | string, zone: string): Day {
  const w = wall(new Date(instant).getTime(), zone)
  return `${String(w.year).padStart(4, '0')}-${String(w.month).padStart(2, '0')}-${String(w.day).padStart(2, '0')}`
}

/** The day so many days later. */
export function addDays(day: Day, days: number): Day {
  return new Date(Date.parse(day + 'T00:00:00Z') + days * DAY_MS).toISOString().slice(0, 10)
}

/** Months are words in English, because 03/08 is two different days there. */
const monthStyle = (lang: string) => (lang === 'en' ? 'short' : '2-digit')

/** "2026/03/08 14:05" or "Mar 08, 2026, 14:05", in the zone. */
export function formatDateTime(instant: string | Date, lang: string, zone: string, seconds = false): string {
  return dateFormat(lang, {
    timeZone: zone,
    year: 'numeric',
    month: monthStyle(lang),
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    ...(seconds ? { second: '2-digit' } : {}),
    hourCycle: 'h23',
  }).format(new Date(instant))
}

/** The day alone, in the zone. */
export function formatDate(instant: string | Date, lang: string, zone: string): string {
  return dateFormat(lang, { timeZone: zone, year: 'numeric', month: monthStyle(lang), day: '2-digit' }).format(new Date(instant))
}

/** The time of day alone, in the zone: "14:05". */
export function formatTime(instant: string | Date, lang: string, zone: string, seconds = false): string {
  return dateFormat(lang, {
    timeZone: zone,
    hour: '2-digit',
    minute: '2-digit',
    ...(seconds ? { second: '2-digit' } : {}),
    hourCycle: 'h23',
  }).format(new Date(instant))
}

/** A calendar day as a heading, with its weekday; the year only when it is not the reader's. */
export function formatDay(day: Day, lang: string, thisYear: string): string {
  const options: Intl.DateTimeFormatOptions = { timeZone: 'UTC', month: 'long', day: 'numeric', weekday: 'short' }
  if (day.slice(0, 4) !== thisYear) options.year = 'numeric'
  return dateFormat(lang, options).format(new Date(day + 'T00:00:00Z'))
}

/** Short labels for chart axes by the width of a bucket. */
export function formatBucket(instant: string | Date, interval: string, lang: string, zone: string): string {
  const at = new Date(instant)
  if (interval === 'hour') return dateFormat(lang, { timeZone: zone, month: monthStyle(lang), day: '2-digit', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at)
  if (interval === 'month') return dateFormat(lang, { timeZone: zone, year: 'numeric', month: 'short' }).format(at)
  return dateFormat(lang, { timeZone: zone, month: monthStyle(lang), day: '2-digit' }).format(at)
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 365 * DAY_MS],
  ['month', 30 * DAY_MS],
  ['day', DAY_MS],
  ['hour', 3_600_000],
  ['minute', 60_000],
]

const relative = new Map<string, Intl.RelativeTimeFormat>()

/** "3 天前" / "3 days ago". Under a minute reads as now. */
export function formatAgo(instant: string | Date, lang: string, now: number = Date.now()): string {
  let f = relative.get(lang)
  if (!f) relative.set(lang, (f = new Intl.RelativeTimeFormat(lang, { numeric: 'auto' })))
  const diff = new Date(instant).getTime() - now
  for (const [unit, ms] of STEPS) {
    if (Math.abs(diff) >= ms) return f.format(Math.trunc(diff / ms), unit)
  }
  return f.format(0, 'second')
}

/** Every time zone the browser knows, with the given one in front should it know more than we do. */
export function timezones(also?: string): string[] {
  const all = Intl.supportedValuesOf('timeZone')
  const known = all.includes('UTC') ? all : ['UTC', ...all]
  return also && !known.includes(also) ? [also, ...known] : known
}

/** "UTC+8" for a zone, now. */
export function offsetLabel(zone: string, now: number = Date.now()): string {
  const minutes = Math.round(offsetAt(now, zone) / 60_000)
  const hours = Math.floor(Math.abs(minutes) / 60)
  const rest = Math.abs(minutes) % 60
  if (minutes === 0) return 'UTC'
  return `UTC${minutes < 0 ? '−' : '+'}${hours}${rest ? ':' + String(rest).padStart(2, '0') : ''}`
}
