import { describe, expect, it } from 'vitest'
import { emptyWeek, holds, onGrid, toWeek, toWindows } from './windows'

describe('windows and the week', () => {
  it('come back as they were painted, days of the same hours together', () => {
    const windows = [
      { days: [1, 2, 3, 4, 5], from: '09:00', to: '12:30' },
      { days: [1, 2, 3, 4, 5], from: '14:00', to: '18:00' },
      { days: [6], from: '00:00', to: '24:00' },
    ]
    expect(toWindows(toWeek(windows))).toEqual(windows)
    expect(toWindows(emptyWeek())).toEqual([])
  })
  it('go over midnight into the next day, Sunday into Monday', () => {
    expect(toWindows(toWeek([{ days: [7], from: '22:00', to: '02:00' }]))).toEqual([
      { days: [1], from: '00:00', to: '02:00' },
      { days: [7], from: '22:00', to: '24:00' },
    ])
  })
  it('are told from those that a grid of half hours cannot show', () => {
    expect(onGrid([{ days: [1], from: '09:00', to: '24:00' }])).toBe(true)
    expect(onGrid([{ days: [1], from: '09:10', to: '10:00' }])).toBe(false)
  })
  it('hold as the server says', () => {
    const night = [{ days: [5], from: '22:00', to: '02:30' }]
    expect(holds(night, 5, 22 * 60)).toBe(true)
    expect(holds(night, 6, 149)).toBe(true)
    expect(holds(night, 6, 150)).toBe(false)
    expect(holds(night, 5, 60)).toBe(false)
    expect(holds([{ days: [7], from: '23:00', to: '01:00' }], 1, 30)).toBe(true)
  })
})
