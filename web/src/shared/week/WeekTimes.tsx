import { Plus, Trash2 } from 'lucide-react'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { usePrefs } from '@/shared/lib/prefs'
import { Button, Input, Segmented } from '@/shared/ui/kit'
import { onGrid, SLOTS, toWeek, toWindows, type Week, type Window } from './windows'
import css from './week.module.css'

const DAYS = [1, 2, 3, 4, 5, 6, 7] as const

/** Names of the days of the week, Monday first, in the reader's language. */
export function useDayNames(style: 'short' | 'narrow' = 'short'): string[] {
  const { lang } = usePrefs()
  const f = new Intl.DateTimeFormat(lang, { weekday: style, timeZone: 'UTC' })
  return DAYS.map((d) => f.format(new Date(Date.UTC(2024, 0, d)))) // the first of January 2024 was a Monday
}

interface Props {
  label: string
  value: readonly Window[]
  onChange: (next: Window[]) => void
  fault?: string
}

/** Times of the week: painted on a grid of half hours with the pointer, or written as days and hours. */
export function WeekTimes({ label, value, onChange, fault }: Props) {
  const { t } = useTranslation()
  const fits = onGrid(value)
  const [as, setAs] = useState<'grid' | 'list'>(fits ? 'grid' : 'list')
  const shown = fits ? as : 'list'
  return (
    <div className={css.times} role="group" aria-label={label}>
      <div className="kp-row wrap">
        <Segmented
          size="small"
          aria-label={t('week.as')}
          value={shown}
          disabled={!fits}
          onChange={setAs}
          options={[
            { value: 'grid', label: t('week.grid') },
            { value: 'list', label: t('week.list') },
          ]}
        />
        <span className="kp-grow" />
        <Button size="small" type="text" onClick={() => onChange([{ days: [1, 2, 3, 4, 5], from: '09:00', to: '18:00' }])}>
          {t('week.office')}
        </Button>
        <Button size="small" type="text" onClick={() => onChange([{ days: [...DAYS], from: '09:00', to: '21:00' }])}>
          {t('week.shop')}
        </Button>
        <Button size="small" type="text" disabled={value.length === 0} onClick={() => onChange([])}>
          {t('week.clear')}
        </Button>
      </div>
      {shown === 'grid' ? <Grid label={label} week={toWeek(value)} onChange={(w) => onChange(toWindows(w))} /> : <List value={value} onChange={onChange} />}
      {fault && <p className={css.fault}>{fault}</p>}
    </div>
  )
}

/** The painting: press and drag; what was on turns off, and the other way round. */
function Grid({ label, week, onChange }: { label: string; week: Week; onChange: (w: Week) => void }) {
  const names = useDayNames()
  const [draft, setDraft] = useState<Week>()
  const from = useRef<{ day: number; slot: number; on: boolean }>(undefined)
  const shown = draft ?? week
  const cell = (e: React.PointerEvent): { day: number; slot: number } | undefined => {
    const el = document.elementFromPoint(e.clientX, e.clientY)?.closest<HTMLElement>('[data-slot]')
    return el ? { day: Number(el.dataset.day), slot: Number(el.dataset.slot) } : undefined
  }
  const drag = (to: { day: number; slot: number } | undefined) => {
    const a = from.current
    if (!a || !to) return
    const next = week.map((row, d) =>
      row.map((on, s) => (d >= Math.min(a.day, to.day) && d <= Math.max(a.day, to.day) && s >= Math.min(a.slot, to.slot) && s <= Math.max(a.slot, to.slot) ? a.on : on)),
    )
    setDraft(next)
  }
  const end = () => {
    if (draft) onChange(draft)
    from.current = undefined
    setDraft(undefined)
  }
  return (
    <div
      className={css.week}
      aria-hidden // the list beside it says the same to keyboards and readers
      title={label}
      onPointerDown={(e) => {
        const at = cell(e)
        if (!at) return
        e.currentTarget.setPointerCapture(e.pointerId)
        from.current = { ...at, on: !week[at.day]?.[at.slot] }
        drag(at)
      }}
      onPointerMove={(e) => from.current && drag(cell(e))}
      onPointerUp={end}
      onPointerCancel={() => {
        from.current = undefined
        setDraft(undefined)
      }}
    >
      <div className={css.hours}>
        <i />
        {[0, 3, 6, 9, 12, 15, 18, 21].map((h) => (
          <span key={h}>{h}</span>
        ))}
      </div>
      {shown.map((row, day) => (
        <div key={day} className={css.day}>
          <b>{names[day]}</b>
          {Array.from({ length: SLOTS }, (_, slot) => (
            <span key={slot} data-day={day} data-slot={slot} className={row[slot] ? css.on : undefined} />
          ))}
        </div>
      ))}
    </div>
  )
}

function List({ value, onChange }: { value: readonly Window[]; onChange: (next: Window[]) => void }) {
  const { t } = useTranslation()
  const names = useDayNames('short')
  const put = (i: number, patch: Partial<Window>) => onChange(value.map((w, k) => (k === i ? { ...w, ...patch } : w)))
  return (
    <div className="kp-stack">
      {value.map((w, i) => (
        <div key={i} className={css.window}>
          <div className="kp-pills" role="group" aria-label={t('week.days')}>
            {DAYS.map((d) => {
              const on = w.days.includes(d)
              return (
                <button key={d} type="button" aria-pressed={on} onClick={() => put(i, { days: on ? w.days.filter((x) => x !== d) : [...w.days, d].sort() })}>
                  {names[d - 1]}
                </button>
              )
            })}
          </div>
          <Input aria-label={t('week.from')} type="time" value={w.from} onChange={(e) => put(i, { from: e.target.value })} style={{ width: 116 }} />
          <span aria-hidden>–</span>
          <Input aria-label={t('week.to')} value={w.to} placeholder="18:00" maxLength={5} onChange={(e) => put(i, { to: e.target.value })} style={{ width: 84 }} />
          <Button type="text" aria-label={t('week.remove')} icon={<Trash2 size={15} aria-hidden />} onClick={() => onChange(value.filter((_, k) => k !== i))} />
        </div>
      ))}
      <div>
        <Button size="small" icon={<Plus size={14} aria-hidden />} onClick={() => onChange([...value, { days: [1, 2, 3, 4, 5], from: '09:00', to: '18:00' }])}>
          {t('week.add')}
        </Button>
      </div>
    </div>
  )
}
