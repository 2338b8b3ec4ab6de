import { Columns3 } from 'lucide-react'
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

interface Picker {
  all: Choosable[]
  on: ReadonlySet<string>
  toggle: (key: string) => void
}

/** The columns on screen: all but the optional ones, or what the reader chose before. The first always stays. */
export function useColumns<C extends Choosable>(storeAs: string | undefined, columns: C[]): [C[], Picker] {
  const stored = storeAs ? `columns.${storeAs}` : undefined
  const [chosen, setChosen] = useState(() => (stored ? readStored(stored, isKeys) : undefined))
  const on = useMemo(() => {
    const keys = new Set(chosen ?? columns.filter((c) => !c.optional).map((c) => c.key))
    if (columns[0]) keys.add(columns[0].key)
    return keys
  }, [chosen, columns])
  const shown = useMemo(() => columns.filter((c) => on.has(c.key)), [columns, on])
  const toggle = (key: string) => {
    const next = new Set(on)
    if (!next.delete(key)) next.add(key)
    const keys = [...next]
    setChosen(keys)
    if (stored) writeStored(stored, keys)
  }
  return [shown, { all: columns, on, toggle }]
}

/** The menu that turns columns on and off. */
export function ColumnPicker({ all, on, toggle }: Picker) {
  const { t } = useTranslation()
  const list = (
    <ul className="kp-menu-list" aria-label={t('table.columns')}>
      {all.map((c, i) => (
        <li key={c.key}>
          <Checkbox checked={on.has(c.key)} disabled={i === 0} onChange={() => toggle(c.key)}>
            {c.title}
          </Checkbox>
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
