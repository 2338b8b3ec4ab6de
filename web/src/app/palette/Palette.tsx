import { CornerDownLeft, LoaderCircle, Search } from 'lucide-react'
import { useEffect, useId, useRef, useState, type KeyboardEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { Overlay } from '@/shared/ui/Overlay'
import { useErrorText } from '@/shared/ui/states'
import { grouped, move, type Entry } from './entries'
import styles from './Palette.module.css'
import { useEntries } from './useEntries'

/** Ctrl K: type to find people, orders, events, imports, pages and actions; arrows and Enter do the rest. */
export function Palette({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useTranslation('app')
  return (
    <Overlay open={open} onClose={onClose} label={t('palette.title')} width={620}>
      <Body onClose={onClose} />
    </Overlay>
  )
}

function Body({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('app')
  const say = useErrorText()
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const listId = useId()
  const { entries, busy, error } = useEntries(text)
  const groups = grouped(entries)
  const flat = groups.flatMap((g) => g.entries)
  const current = Math.min(at, Math.max(0, flat.length - 1))
  const optionId = (i: number) => `${listId}-${i}`

  const run = (entry: Entry | undefined) => {
    if (!entry) return
    onClose()
    entry.run()
  }
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.nativeEvent.isComposing) return // the input method is choosing characters
    const steps: Record<string, number> = { ArrowDown: move(current, 1, flat.length), ArrowUp: move(current, -1, flat.length) }
    const next = steps[e.key]
    if (next !== undefined) {
      e.preventDefault()
      setAt(next)
    } else if (e.key === 'Enter') {
      e.preventDefault()
      run(flat[current])
    }
  }
  return (
    <div className={styles.box}>
      <div className={styles.input}>
        {busy ? <LoaderCircle size={17} className={styles.spin} aria-hidden /> : <Search size={17} aria-hidden />}
        <input
          autoFocus
          role="combobox"
          aria-expanded
          aria-controls={listId}
          aria-activedescendant={flat.length > 0 ? optionId(current) : undefined}
          aria-label={t('palette.title')}
          placeholder={t('bar.search')}
          value={text}
          onChange={(e) => {
            setText(e.target.value)
            setAt(0)
          }}
          onKeyDown={onKeyDown}
        />
        <kbd>Esc</kbd>
      </div>
      <div className={styles.list} id={listId} role="listbox" aria-label={t('palette.title')}>
        {groups.map((g) => (
          <div key={g.group} role="group" aria-label={t(`palette.group.${g.group}`)}>
            <div className={styles.group} aria-hidden>
              {t(`palette.group.${g.group}`)}
            </div>
            {g.entries.map((e) => {
              const i = flat.indexOf(e)
              return <Option key={e.id} id={optionId(i)} entry={e} on={i === current} onPoint={() => setAt(i)} onRun={() => run(e)} />
            })}
          </div>
        ))}
        {flat.length === 0 && !busy && <p className={styles.none}>{t('palette.none', { text: text.trim() })}</p>}
        {error !== null && error !== undefined && text.trim() !== '' && <p className={styles.none}>{say(error).detail}</p>}
      </div>
    </div>
  )
}

interface OptionProps {
  id: string
  entry: Entry
  on: boolean
  onPoint: () => void
  onRun: () => void
}

function Option({ id, entry, on, onPoint, onRun }: OptionProps) {
  const ref = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (on) ref.current?.scrollIntoView({ block: 'nearest' })
  }, [on])
  const Icon = entry.icon
  return (
    <div ref={ref} id={id} role="option" aria-selected={on} className={styles.option} onPointerMove={onPoint} onClick={onRun}>
      <Icon size={16} aria-hidden />
      <span className={styles.label}>{entry.label}</span>
      {entry.detail && <span className={styles.detail}>{entry.detail}</span>}
      {on && <CornerDownLeft size={14} aria-hidden />}
    </div>
  )
}
