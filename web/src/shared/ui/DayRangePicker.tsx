import dayjs from 'dayjs'
import { useTranslation } from 'react-i18next'
import { DatePicker } from './kit'

interface Props {
  first: string
  last: string
  onPick: (first: string, last: string) => void
}

/** Picks two days. A chunk of its own, because most people stay with the named periods. */
export default function DayRangePicker({ first, last, onPick }: Props) {
  const { t } = useTranslation()
  return (
    <DatePicker.RangePicker
      allowClear={false}
      aria-label={t('range.custom')}
      value={[dayjs(first), dayjs(last)]}
      onChange={(days) => {
        const [a, b] = days ?? []
        if (a && b) onPick(a.format('YYYY-MM-DD'), b.format('YYYY-MM-DD'))
      }}
    />
  )
}
