import { describe, expect, it } from 'vitest'
import { dayPart } from './greeting'

describe('dayPart', () => {
  const at = Date.parse('2026-03-08T01:30:00Z')

  it('goes by the clock of the company, not of the browser', () => {
    expect(dayPart(at, 'Asia/Shanghai')).toBe('morning')
    expect(dayPart(at, 'UTC')).toBe('night')
    expect(dayPart(at, 'America/New_York')).toBe('evening')
  })

  it.each([
    ['04:59', 'night'],
    ['05:00', 'morning'],
    ['11:00', 'noon'],
    ['13:00', 'afternoon'],
    ['18:00', 'evening'],
    ['23:00', 'night'],
    ['00:00', 'night'],
  ])('%s is %s', (time, part) => expect(dayPart(Date.parse(`2026-03-08T${time}:00Z`), 'UTC')).toBe(part))
})
