/** A stretch of some days of the week, 1 Monday to 7 Sunday. One that ends before it begins goes over midnight. */
export interface Window {
  days: number[]
  from: string
  to: string
}

/** The week as half hours: 7 days of 48, Monday first. */
export const SLOTS = 48
export type Week = boolean[][]

export const emptyWeek = (): Week => Array.from({ length: 7 }, () => Array.from({ length: SLOTS }, () => false))

const minutes = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5))
const text = (m: number): string => `${String(Math.floor(m / 60)).padStart(2, '0')}:${String(m % 60).padStart(2, '0')}`

/** Whether every window begins and ends on a half hour, so that the grid can show it to the letter. */
export const onGrid = (windows: readonly Window[]): boolean => windows.every((w) => minutes(w.from) % 30 === 0 && minutes(w.to) % 30 === 0)

/** Paints windows into a week. A window over midnight belongs to the day it begins on. */
export function toWeek(windows: readonly Window[]): Week {
  const week = emptyWeek()
  const paint = (day: number, from: number, to: number) => {
    const row = week[day % 7]
    if (row) for (let i = Math.floor(from / 30); i < Math.ceil(to / 30); i++) row[i] = true
  }
  for (const w of windows) {
    const from = minutes(w.from)
    const to = minutes(w.to)
    for (const d of w.days) {
      if (from < to) paint(d - 1, from, to)
      else {
        paint(d - 1, from, SLOTS * 30)
        paint(d, 0, to)
      }
    }
  }
  return week
}

/** Reads a week back: stretches of the same hours become one window of several days. */
export function toWindows(week: Week): Window[] {
  const days = new Map<string, number[]>()
  week.forEach((row, day) => {
    for (let i = 0; i < SLOTS; i++) {
      if (!row[i]) continue
      let end = i
      while (end < SLOTS && row[end]) end++
      const key = `${text(i * 30)}-${text(end * 30)}`
      days.set(key, [...(days.get(key) ?? []), day + 1])
      i = end
    }
  })
  return [...days].map(([key, list]) => ({ days: list, from: key.slice(0, 5), to: key.slice(6) })).sort((a, b) => (a.days[0] ?? 0) - (b.days[0] ?? 0) || a.from.localeCompare(b.from))
}

/** Whether a moment of the week (day 1 to 7, minutes) lies in one of the windows. */
export function holds(windows: readonly Window[], day: number, at: number): boolean {
  return windows.some((w) => {
    const from = minutes(w.from)
    const to = minutes(w.to)
    const on = (d: number) => (w.days).includes(d)
    return from < to ? on(day) && at >= from && at < to : (on(day) && at >= from) || (on(((day + 5) % 7) + 1) && at < to)
  })
}
