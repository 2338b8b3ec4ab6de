import { Input } from '@/shared/ui/kit'
import css from './Rules.module.css'

/** A small whole number. Empty while somebody types. */
export function Count({ label, value, onChange, min = 1 }: { label: string; value: number | undefined; onChange: (n: number | undefined) => void; min?: number }) {
  return (
    <Input
      className={css.count}
      aria-label={label}
      type="number"
      min={min}
      step={1}
      value={value === undefined || Number.isNaN(value) ? '' : String(value)}
      onChange={(e) => onChange(e.target.value === '' ? undefined : Math.trunc(Number(e.target.value)))}
    />
  )
}
