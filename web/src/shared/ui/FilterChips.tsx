import { X } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Button } from './kit'

export interface FilterChip {
  key: string
  /** What is filtered, such as "channel". */
  label: string
  /** What it is set to, in words. */
  value: string
  onRemove: () => void
}

/** The filters that are on, each with a way to take it off, and one to take off all. */
export function FilterChips({ chips, onClear }: { chips: FilterChip[]; onClear: () => void }) {
  const { t } = useTranslation()
  if (chips.length === 0) return null
  return (
    <ul className="kp-filter-chips">
      {chips.map((c) => (
        <li key={c.key} className="kp-filter-chip">
          <span className="kp-muted">{c.label}</span>
          <b className="kp-clip" title={c.value}>
            {c.value}
          </b>
          <button type="button" onClick={c.onRemove} aria-label={t('filter.remove', { what: t('filter.chip', { label: c.label, value: c.value }) })}>
            <X size={13} aria-hidden />
          </button>
        </li>
      ))}
      <li>
        <Button type="link" size="small" onClick={onClear}>
          {t('action.clearFilters')}
        </Button>
      </li>
    </ul>
  )
}

/** Writes a span of days for a chip: "2026-01-01 至 2026-01-31", or with one open end. */
export function useDaysText(): (span: { first?: string; last?: string }) => string {
  const { t } = useTranslation()
  return ({ first, last }) => {
    if (first && last) return first === last ? first : t('filter.days', { first, last })
    if (first) return t('filter.since', { first })
    return last ? t('filter.until', { last }) : ''
  }
}
