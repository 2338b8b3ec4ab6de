import { useTranslation } from 'react-i18next'
import type { RuleSpan, RuleWindow } from '@/shared/api/types'
import { DayPicker } from '@/shared/ui/DayPicker'
import { Select } from '@/shared/ui/kit'
import { SPAN_UNITS, WINDOW_UNITS, windowSort } from './behaviour'
import { Count } from './Count'
import css from './Rules.module.css'

/** When something was done: ever, in the last so many units, or between two days. */
export function TimeWindow({ value, onChange, must }: { value: RuleWindow | undefined; onChange: (w: RuleWindow | undefined) => void; must?: boolean }) {
  const { t } = useTranslation('rules')
  const sort = windowSort(value)
  return (
    <span className={css.bit}>
      <Select
        className={css.small}
        aria-label={t('window.label')}
        value={sort}
        popupMatchSelectWidth={false}
        onChange={(s: typeof sort) => onChange(s === 'ever' ? undefined : s === 'last' ? { last: 30, unit: 'day' } : { from: '', to: '' })}
        options={[...(must ? [] : [{ value: 'ever', label: t('window.ever') }]), { value: 'last', label: t('window.last') }, { value: 'days', label: t('window.days') }]}
      />
      {sort === 'last' && value && (
        <>
          <Count label={t('window.n')} value={value.last} onChange={(last) => onChange({ ...value, last })} />
          <Select
            className={css.small}
            aria-label={t('window.unit')}
            value={value.unit}
            popupMatchSelectWidth={false}
            onChange={(unit: NonNullable<RuleWindow['unit']>) => onChange({ ...value, unit })}
            options={WINDOW_UNITS.map((u) => ({ value: u, label: t(`unit.${u}`) }))}
          />
        </>
      )}
      {sort === 'days' && value && <DayPicker label={t('window.days')} value={{ first: value.from || undefined, last: value.to || undefined }} onChange={({ first, last }) => onChange({ from: first ?? '', to: last ?? '' })} width={250} />}
    </span>
  )
}

/** A length of time. */
export function Span({ label, value, onChange }: { label: string; value: RuleSpan; onChange: (s: RuleSpan) => void }) {
  const { t } = useTranslation('rules')
  return (
    <span className={css.bit}>
      <Count label={label} value={value.n} onChange={(n) => onChange({ ...value, n: n ?? 0 })} />
      <Select
        className={css.small}
        aria-label={t('window.unit')}
        value={value.unit}
        popupMatchSelectWidth={false}
        onChange={(unit: RuleSpan['unit']) => onChange({ ...value, unit })}
        options={SPAN_UNITS.map((u) => ({ value: u, label: t(`unit.${u}`) }))}
      />
    </span>
  )
}
