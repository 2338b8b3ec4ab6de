import dayjs from 'dayjs'
import type { DaySpan } from '../lib/days'
import { DatePicker } from './kit'

export interface DaySpanProps {
  label: string
  value: DaySpan
  onChange: (next: { first?: string; last?: string }) => void
  width?: number
}

const format = (d: dayjs.Dayjs | null | undefined) => d?.format('YYYY-MM-DD')

/** Two days, either of which may be left open. A chunk of its own: the calendar is large. */
export default function DaySpanPicker({ label, value, onChange, width }: DaySpanProps) {
  return (
    <DatePicker.RangePicker
      allowClear
      allowEmpty={[true, true]}
      aria-label={label}
      style={{ width }}
      value={[value.first ? dayjs(value.first) : null, value.last ? dayjs(value.last) : null]}
      onChange={(days) => onChange({ first: format(days?.[0]), last: format(days?.[1]) })}
    />
  )
}
