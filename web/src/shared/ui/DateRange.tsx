import { CalendarRange } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { PRESETS, type DayRange, type Preset } from '../lib/range'
import { Segmented } from './kit'

const DayRangePicker = lazy(() => import('./DayRangePicker'))

interface Props {
  value: DayRange
  onChange: (next: { preset: Preset } | { first: string; last: string }) => void
}

/** Picks a period: 7, 30 or 90 days, this month, or two days of your own. */
export function DateRange({ value, onChange }: Props) {
  const { t } = useTranslation()
  const [picking, setPicking] = useState(false)
  const label = (p: Preset) => (p === 'month' ? t('range.month') : t('range.days', { count: parseInt(p, 10) }))
  const custom = value.preset === 'custom' || picking
  return (
    <div className="kp-row wrap kp-range" role="group" aria-label={t('range.label')}>
      <Segmented<Preset | 'custom'>
        value={custom ? 'custom' : value.preset}
        onChange={(v) => {
          setPicking(v === 'custom')
          if (v !== 'custom') onChange({ preset: v })
        }}
        options={[
          ...PRESETS.map((p) => ({ value: p, label: label(p) })),
          { value: 'custom' as const, label: t('range.custom'), icon: <CalendarRange size={14} aria-hidden /> },
        ]}
      />
      {custom && (
        <Suspense fallback={<span className="kp-bone" style={{ width: 240, height: 34 }} />}>
          <DayRangePicker
            first={value.first}
            last={value.last}
            onPick={(first, last) => {
              setPicking(false)
              onChange({ first, last })
            }}
          />
        </Suspense>
      )}
    </div>
  )
}
