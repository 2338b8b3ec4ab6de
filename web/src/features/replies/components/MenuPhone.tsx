import { Keyboard, List, Plus } from 'lucide-react'
import { useState, type KeyboardEvent } from 'react'
import { useTranslation } from 'react-i18next'
import type { MenuButton } from '@/shared/api/types'
import { added, LIMITS, shifted, subs, type Place } from '../menu'
import css from './replies.module.css'
import { Phone } from './Phone'

interface Props {
  title: string
  list: readonly MenuButton[]
  at: Place | undefined
  onPick: (at: Place) => void
  /** Left out for those who may only look. */
  onChange?: (next: MenuButton[], at: Place) => void
  faulty: (at: Place) => boolean
}

/** The menu as a customer's phone shows it. Buttons are picked, dragged to their place, or moved with Alt and the arrow keys. */
export function MenuPhone({ title, list, at, onPick, onChange, faulty }: Props) {
  const { t } = useTranslation('replies')
  const [dragged, setDragged] = useState<Place>()
  const move = (from: Place, to: number) => {
    if (!onChange) return
    const done = shifted(list, from, to)
    onChange(done.list, done.at)
  }
  const one = (b: MenuButton, place: Place) => {
    const picked = at?.top === place.top && at.sub === place.sub
    const beside = dragged && dragged.top !== undefined && (dragged.sub === undefined) === (place.sub === undefined) && (place.sub === undefined || dragged.top === place.top)
    const key = (e: KeyboardEvent) => {
      const back = place.sub === undefined ? 'ArrowLeft' : 'ArrowUp'
      const on = place.sub === undefined ? 'ArrowRight' : 'ArrowDown'
      if (!e.altKey || (e.key !== back && e.key !== on)) return
      e.preventDefault()
      move(place, (place.sub ?? place.top) + (e.key === on ? 1 : -1))
    }
    return (
      <button
        type="button"
        className={css.slot}
        aria-pressed={picked}
        data-fault={faulty(place) || undefined}
        draggable={onChange !== undefined}
        title={onChange && t('menu.dragHint')}
        onClick={() => onPick(place)}
        onKeyDown={key}
        onDragStart={(e) => {
          e.dataTransfer.effectAllowed = 'move'
          e.dataTransfer.setData('text/plain', b.name)
          setDragged(place)
        }}
        onDragEnd={() => setDragged(undefined)}
        onDragOver={(e) => beside && e.preventDefault()}
        onDrop={(e) => {
          e.preventDefault()
          if (dragged && beside) move(dragged, place.sub ?? place.top)
          setDragged(undefined)
        }}
      >
        {subs(b).length > 0 && <List size={11} aria-hidden />}
        <span>{b.name || t('menu.unnamed')}</span>
      </button>
    )
  }
  const open = at && list[at.top]
  const foot = (
    <div className={css.foot}>
      <span className={css.key} aria-hidden>
        <Keyboard size={16} />
      </span>
      {list.map((b, top) => (
        <div key={top} className={css.top}>
          {at?.top === top && open && (subs(open).length > 0 || onChange) && (
            <div className={css.pop} role="group" aria-label={t('menu.above', { name: b.name })}>
              {subs(b).map((s, sub) => (
                <div key={sub}>{one(s, { top, sub })}</div>
              ))}
              {onChange && subs(b).length < LIMITS.sub && (
                <button
                  type="button"
                  className={css.slot}
                  aria-label={t('menu.addAbove', { name: b.name })}
                  onClick={() => {
                    const done = added(list, top, t('menu.newName'))
                    onChange(done.list, done.at)
                  }}
                >
                  <Plus size={14} aria-hidden />
                </button>
              )}
            </div>
          )}
          {one(b, { top })}
        </div>
      ))}
      {onChange && list.length < LIMITS.top && (
        <div className={css.top}>
          <button
            type="button"
            className={css.slot}
            aria-label={t('menu.add')}
            onClick={() => {
              const done = added(list, undefined, t('menu.newName'))
              onChange(done.list, done.at)
            }}
          >
            <Plus size={15} aria-hidden />
          </button>
        </div>
      )}
    </div>
  )
  return (
    <Phone title={title} foot={foot}>
      <p className={css.note}>{list.length === 0 ? t('menu.emptyPhone') : t('menu.phoneHint')}</p>
    </Phone>
  )
}
