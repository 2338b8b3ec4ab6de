import { describe, expect, it } from 'vitest'
import { dayIn, dueOf } from './when'

describe('when a follow-up is due', () => {
  it('is a time in the company’s zone, wherever the browser is', () => {
    expect(dueOf({ day: '2026-03-02', time: '16:30' }, 'Asia/Shanghai')).toEqual({ due: '2026-03-02T08:30:00.000Z', allDay: false })
    expect(dueOf({ day: '2026-03-02', time: '00:05' }, 'America/New_York')).toEqual({ due: '2026-03-02T05:05:00.000Z', allDay: false })
  })
  it('is a whole day without a time', () => {
    expect(dueOf({ day: '2026-03-02', time: '' }, 'Asia/Shanghai')).toEqual({ due: '2026-03-02T04:00:00.000Z', allDay: true })
  })
  it('counts days in the company’s zone', () => {
    expect(dayIn(1, 'Asia/Shanghai', Date.parse('2026-03-02T17:00:00Z'))).toBe('2026-03-04')
  })
})
