import { describe, expect, it } from 'vitest'
import { addDays, dayOf, dayStart, formatAgo, formatBucket, formatDateTime, isTimezone, offsetLabel } from './time'

describe('days in a zone', () => {
  it('begins the day where the company is', () => {
    expect(dayStart('2026-03-02', 'Asia/Shanghai').toISOString()).toBe('2026-03-01T16:00:00.000Z')
    expect(dayStart('2026-03-02', 'UTC').toISOString()).toBe('2026-03-02T00:00:00.000Z')
    expect(dayStart('2026-03-02', 'Asia/Kolkata').toISOString()).toBe('2026-03-01T18:30:00.000Z')
  })
  it('keeps days of 23 and 25 hours right', () => {
    // New York: clocks go forward on 8 March 2026 and back on 1 November 2026, both at two in the morning.
    const hours = (day: string) => (dayStart(addDays(day, 1), 'America/New_York').getTime() - dayStart(day, 'America/New_York').getTime()) / 3_600_000
    expect(hours('2026-03-07')).toBe(24)
    expect(hours('2026-03-08')).toBe(23)
    expect(hours('2026-11-01')).toBe(25)
  })
  it('knows which day an instant belongs to', () => {
    expect(dayOf('2026-03-01T16:00:00Z', 'Asia/Shanghai')).toBe('2026-03-02')
    expect(dayOf('2026-03-01T15:59:59Z', 'Asia/Shanghai')).toBe('2026-03-01')
  })
  it('goes over months and leap days', () => {
    expect(addDays('2028-02-28', 1)).toBe('2028-02-29')
    expect(addDays('2026-01-01', -1)).toBe('2025-12-31')
  })
  it('agrees with itself for every day of a year in several zones', () => {
    for (const zone of ['Asia/Shanghai', 'Europe/London', 'America/Los_Angeles', 'Australia/Lord_Howe']) {
      for (let day = '2026-01-01'; day < '2027-01-01'; day = addDays(day, 1)) {
        const start = dayStart(day, zone)
        expect(dayOf(start, zone), `${day} in ${zone}`).toBe(day)
        expect(dayOf(start.getTime() - 1, zone), `before ${day} in ${zone}`).toBe(addDays(day, -1))
      }
    }
  })
})

describe('words for times', () => {
  it('shows the company’s clock', () => {
    expect(formatDateTime('2026-03-08T06:05:00Z', 'zh-CN', 'Asia/Shanghai')).toBe('2026/03/08 14:05')
    expect(formatDateTime('2026-03-07T16:00:00Z', 'zh-CN', 'Asia/Shanghai')).toBe('2026/03/08 00:00')
    expect(formatDateTime('2026-03-08T06:05:00Z', 'en', 'Asia/Shanghai')).toBe('Mar 08, 2026, 14:05')
  })
  it('says how long ago', () => {
    const now = Date.parse('2026-03-08T12:00:00Z')
    expect(formatAgo('2026-03-08T11:59:40Z', 'en', now)).toBe('now')
    expect(formatAgo('2026-03-08T11:55:00Z', 'en', now)).toBe('5 minutes ago')
    expect(formatAgo('2026-03-05T12:00:00Z', 'zh-CN', now)).toBe('3天前')
    expect(formatAgo('2026-03-09T12:00:00Z', 'en', now)).toBe('tomorrow')
  })
  it('names chart buckets', () => {
    expect(formatBucket('2026-03-07T16:00:00Z', 'day', 'zh-CN', 'Asia/Shanghai')).toBe('03/08')
    expect(formatBucket('2026-02-28T16:00:00Z', 'month', 'zh-CN', 'Asia/Shanghai')).toBe('2026年3月')
  })
  it('labels zones', () => {
    const winter = Date.parse('2026-01-15T00:00:00Z')
    expect(offsetLabel('Asia/Shanghai', winter)).toBe('UTC+8')
    expect(offsetLabel('Asia/Kolkata', winter)).toBe('UTC+5:30')
    expect(offsetLabel('America/New_York', winter)).toBe('UTC−5')
    expect(offsetLabel('UTC', winter)).toBe('UTC')
    expect(isTimezone('Mars/Olympus')).toBe(false)
  })
})
