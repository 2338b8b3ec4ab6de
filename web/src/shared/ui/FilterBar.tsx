import { Search } from 'lucide-react'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Button, Input, Select } from './kit'

/** The row of filters above a list. */
export function FilterBar({ children, extra, active, onClear }: { children: ReactNode; extra?: ReactNode; active?: boolean; onClear?: () => void }) {
  const { t } = useTranslation()
  return (
    <div className="kp-filters" role="search">
      {children}
      {active && onClear && (
        <Button type="link" size="small" onClick={onClear}>
          {t('action.clearFilters')}
        </Button>
      )}
      <span className="kp-grow" />
      {extra}
    </div>
  )
}

/** Typing waits this long before it becomes a query. */
const TYPING_MS = 250

/** A search box whose value settles after a short pause; clearing and Enter act at once. */
export function SearchBox({ value, onChange, placeholder, width = 280 }: { value: string; onChange: (v: string) => void; placeholder: string; width?: number }) {
  const [text, setText] = useState(value)
  const [last, setLast] = useState(value)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  if (last !== value) {
    // The value changed from outside, such as by "clear filters".
    setLast(value)
    setText(value)
  }
  useEffect(() => () => clearTimeout(timer.current), [])
  const settle = (v: string) => {
    clearTimeout(timer.current)
    const trimmed = v.trim()
    if (trimmed !== value) onChange(trimmed)
  }
  return (
    <Input
      allowClear
      type="search"
      prefix={<Search size={15} className="kp-muted" aria-hidden />}
      style={{ width }}
      aria-label={placeholder}
      placeholder={placeholder}
      value={text}
      onChange={(e) => {
        const v = e.target.value
        setText(v)
        clearTimeout(timer.current)
        if (v === '') settle('')
        else timer.current = setTimeout(() => settle(v), TYPING_MS)
      }}
      onPressEnter={() => settle(text)}
    />
  )
}

interface PickProps<T extends string> {
  label: string
  value: T | undefined
  onChange: (v: T | undefined) => void
  options: { value: T; label: string }[]
  width?: number
  searchable?: boolean
}

/** A filter with one choice, or none. */
export function FilterSelect<T extends string>({ label, value, onChange, options, width = 140, searchable }: PickProps<T>) {
  return (
    <Select<T>
      allowClear
      aria-label={label}
      placeholder={label}
      style={{ minWidth: width }}
      popupMatchSelectWidth={false}
      value={value}
      onChange={(v: T | undefined) => onChange(v)}
      options={options}
      showSearch={searchable ? { optionFilterProp: 'label' } : false}
    />
  )
}

/** A filter with few choices shown side by side; pressing the chosen one again lets go. */
export function FilterPills<T extends string>({ label, value, onChange, options }: PickProps<T>) {
  return (
    <div className="kp-pills" role="group" aria-label={label}>
      {options.map((o) => (
        <button key={o.value} type="button" aria-pressed={o.value === value} onClick={() => onChange(o.value === value ? undefined : o.value)}>
          {o.label}
        </button>
      ))}
    </div>
  )
}
