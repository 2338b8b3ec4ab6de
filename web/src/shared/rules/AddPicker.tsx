import { Plus, Search } from 'lucide-react'
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from 'react'
import { useTranslation } from 'react-i18next'
import type { RuleNode } from '@/shared/api/types'
import { Button, Input, Popover } from '@/shared/ui/kit'
import css from './AddPicker.module.css'
import { useEditing } from './editing'
import { entriesOf, ENTRY_GROUPS, search, type Entry, type EntryGroup } from './entries'

/** Adds a condition: one list of everything that can be asked, found by typing and chosen by keyboard. */
export function AddPicker({ onPick, disabled }: { onPick: (node: RuleNode) => void; disabled?: boolean }) {
  const { t } = useTranslation('rules')
  const [open, setOpen] = useState(false)
  const button = useRef<HTMLButtonElement>(null)
  return (
    <Popover
      open={open}
      onOpenChange={setOpen}
      trigger="click"
      placement="bottomLeft"
      destroyOnHidden
      autoAdjustOverflow
      arrow={false}
      styles={{ container: { padding: 0 } }}
      content={
        <Choose
          onPick={(e) => {
            setOpen(false)
            onPick(e.make())
          }}
          onClose={() => {
            setOpen(false)
            button.current?.focus()
          }}
        />
      }
    >
      <Button ref={button} size="small" type="text" disabled={disabled} aria-haspopup="dialog" aria-expanded={open} icon={<Plus size={14} aria-hidden />} data-add>
        {t('addCondition')}
      </Button>
    </Popover>
  )
}

function Choose({ onPick, onClose }: { onPick: (e: Entry) => void; onClose: () => void }) {
  const { t } = useTranslation('rules')
  const { fields, events } = useEditing()
  const all = useMemo(() => entriesOf(fields, events, (key) => ({ label: t(`add.${key}`), hint: t(`addHint.${key}`) })), [fields, events, t])
  const [text, setText] = useState('')
  const [group, setGroup] = useState<EntryGroup>()
  const [at, setAt] = useState(0)
  const found = search(all, text, group)
  const groups = ENTRY_GROUPS.filter((g) => all.some((e) => e.group === g))
  const id = useId()
  const box = useRef<HTMLDivElement>(null)
  const now = found[at]
  useEffect(() => {
    // After the popover has found its place: earlier the page would scroll to where it is measured.
    const frame = requestAnimationFrame(() => box.current?.querySelector('input')?.focus({ preventScroll: true }))
    return () => cancelAnimationFrame(frame)
  }, [])
  const go = (by: number) => {
    let next = at
    for (let i = 0; i < found.length; i++) {
      next = (next + by + found.length) % found.length
      if (!found[next]?.blocked) break
    }
    setAt(next)
    document.getElementById(`${id}-${next}`)?.scrollIntoView({ block: 'nearest' })
  }
  const onKey = (e: KeyboardEvent) => {
    if (e.nativeEvent.isComposing) return
    if (e.key === 'ArrowDown' || e.key === 'ArrowUp') go(e.key === 'ArrowDown' ? 1 : -1)
    else if (e.key === 'Enter' && now && !now.blocked) onPick(now)
    else if (e.key === 'Escape') onClose()
    else return
    e.preventDefault()
    e.stopPropagation()
  }
  return (
    <div ref={box} className={css.box} role="dialog" aria-label={t('addCondition')}>
      <Input
        className={css.search}
        variant="borderless"
        prefix={<Search size={15} className="kp-muted" aria-hidden />}
        role="combobox"
        aria-label={t('pick.search')}
        aria-expanded
        aria-controls={`${id}-list`}
        aria-activedescendant={now ? `${id}-${at}` : undefined}
        placeholder={t('pick.placeholder')}
        value={text}
        onChange={(e) => {
          setText(e.target.value)
          setAt(0)
        }}
        onKeyDown={onKey}
      />
      <div className={css.panes}>
        <div className={css.groups} role="group" aria-label={t('pick.groups')}>
          {[undefined, ...groups].map((g) => (
            <button
              key={g ?? 'all'}
              type="button"
              aria-pressed={g === group && text === ''}
              onClick={() => {
                setGroup(g)
                setText('')
                setAt(0)
                box.current?.querySelector('input')?.focus()
              }}
            >
              {g ? t(`group.${g}`) : t('pick.all')}
            </button>
          ))}
        </div>
        <ul className={css.list} role="listbox" id={`${id}-list`} aria-label={t('addCondition')}>
          {found.length === 0 && <li className={css.none}>{t('pick.none')}</li>}
          {found.map((e, i) => (
            <Line key={e.id} entry={e} id={`${id}-${i}`} head={found[i - 1]?.group === e.group ? undefined : t(`group.${e.group}`)} on={i === at} onHover={() => setAt(i)} onPick={() => onPick(e)} />
          ))}
        </ul>
      </div>
      <p className={css.keys} aria-hidden>
        <kbd>↑</kbd> <kbd>↓</kbd> {t('pick.move')} · <kbd>Enter</kbd> {t('pick.take')} · <kbd>Esc</kbd> {t('pick.close')}
      </p>
    </div>
  )
}

function Line({ entry, id, head, on, onHover, onPick }: { entry: Entry; id: string; head: string | undefined; on: boolean; onHover: () => void; onPick: () => void }) {
  return (
    <>
      {head && (
        <li className={css.head} role="presentation">
          {head}
        </li>
      )}
      <li
        id={id}
        role="option"
        aria-selected={on}
        aria-disabled={entry.blocked ? true : undefined}
        className={css.line}
        title={entry.blocked ?? undefined}
        onMouseMove={onHover}
        onClick={() => !entry.blocked && onPick()}
      >
        <span>{entry.label}</span>
        {(entry.blocked ?? entry.hint) && <small>{entry.blocked ?? entry.hint}</small>}
      </li>
    </>
  )
}
