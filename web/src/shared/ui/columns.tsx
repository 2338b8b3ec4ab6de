import { ArrowUp, Columns3 } from 'lucide-react'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { readStored, writeStored } from '../lib/store'
import { Button, Checkbox, Popover } from './kit'

interface Choosable {
  key: string
  title: string
  optional?: boolean
}

const isKeys = (v: unknown): v is string[] => Array.isArray(v) && v.every((k) => typeof k === 'string')

/** Columns that the page keeps: which, in which order. Without keys they are the usual ones. */
export interface ChosenColumns {
  keys: string[] | undefined
  onChange: (keys: string[]) => void
}

interface Picker {
  all: Choosable[]
  on: ReadonlySet<string>
  toggle: (key: string) => void
  /** Puts a column one place nearer to the first; where the order can be kept. */
  raise?: (key: string) => void
}

/** The columns on screen: all but the optional ones, or what the reader chose before. The first always stays. */
export function useColumns<C extends Choosable>(storeAs: string | undefined, columns: C[], kept?: ChosenColumns): [C[], Picker] {
  const stored = storeAs && !kept ? `columns.${storeAs}` : undefined
  const [local, setLocal] = useState(() => (stored ? readStored(stored, isKeys) : undefined))
  const chosen = kept ? kept.keys : local
  const first = columns[0]?.key
  const keys = useMemo(() => {
    const usual = columns.filter((c) => !c.optional).map((c) => c.key)
    const known = (chosen ?? usual).filter((k) => k !== first && columns.some((c) => c.key === k))
    return first === undefined ? known : [first, ...known]
  }, [chosen, columns, first])
  const on = useMemo(() => new Set(keys), [keys])
  const shown = useMemo(() => {
    if (!kept) return columns.filter((c) => on.has(c.key))
    return keys.map((k) => columns.find((c) => c.key === k)).filter((c) => c !== undefined)
  }, [columns, on, keys, kept])
  const all = useMemo(() => (kept ? [...shown, ...columns.filter((c) => !on.has(c.key))] : columns), [kept, shown, columns, on])
  const keep = (next: string[]) => {
    if (kept) {
      kept.onChange(next)
      return
    }
    setLocal(next)
    if (stored) writeStored(stored, next)
  }
  const toggle = (key: string) => keep(on.has(key) ? keys.filter((k) => k !== key) : [...keys, key])
  const raise = (key: string) => {
    const at = keys.indexOf(key)
    if (at > 1) keep([...keys.slice(0, at - 1), key, ...keys.slice(at - 1, at), ...keys.slice(at + 1)])
  }
  return [shown, { all, on, toggle, ...(kept ? { raise } : {}) }]
}

/** The menu that turns columns on and off. */
export function ColumnPicker({ all, on, toggle, raise }: Picker) {
  const { t } = useTranslation()
  const list = (
    <ul className="kp-menu-list" aria-label={t('table.columns')}>
      {all.map((c, i) => (
        <li key={c.key}>
          <Checkbox checked={on.has(c.key)} disabled={i === 0} onChange={() => toggle(c.key)}>
            {c.title}
          </Checkbox>
          {raise && i > 1 && on.has(c.key) && (
            <Button type="text" size="small" aria-label={t('table.raise', { column: c.title })} icon={<ArrowUp size={13} aria-hidden />} onClick={() => raise(c.key)} />
          )}
        </li>
      ))}
    </ul>
  )
  return (
    <Popover trigger="click" placement="bottomRight" content={list}>
      <Button className="kp-column-picker" type="text" size="small" aria-label={t('table.columns')} icon={<Columns3 size={15} aria-hidden />} />
    </Popover>
  )
}
