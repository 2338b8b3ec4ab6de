import { useQuery } from '@tanstack/react-query'
import { Plus, X } from 'lucide-react'
import { useMemo, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { TagScore } from '@/shared/api/types'
import { usePrefs } from '@/shared/lib/prefs'
import { EditingContext, type Editing } from '@/shared/rules/editing'
import { EventPick } from '@/shared/rules/EventPick'
import { ruleEventsQuery } from '@/shared/rules/queries'
import { WhereList } from '@/shared/rules/WhereList'
import { Button, Input } from '@/shared/ui/kit'
import { loseOf } from '../fade'
import css from './Automation.module.css'
import { FadeCurve } from './FadeCurve'

const MAX_EVENTS = 20

interface Props {
  value: TagScore
  onChange: (next: TagScore) => void
}

/** What events are worth, how fast a score fades, and how much of it gives and keeps the tag. */
export function ScoreForm({ value, onChange }: Props) {
  const { t } = useTranslation('tags')
  const { lang } = usePrefs()
  const { data: events } = useQuery(ruleEventsQuery(lang))
  const editing = useMemo<Editing>(
    () => ({ fields: [], personal: false, events: events ?? [], change: () => {}, root: { id: '', kind: 'all', parts: [] } as unknown as Editing['root'], faults: new Map(), fresh: undefined, setFresh: () => {}, dragging: undefined }),
    [events],
  )
  const put = (i: number, next: TagScore['events'][number]) => onChange({ ...value, events: value.events.map((e, n) => (n === i ? next : e)) })
  return (
    <EditingContext value={editing}>
      <div className={css.stack}>
        <p className="kp-muted" style={{ margin: 0 }}>
          {t('auto.scoreLead')}
        </p>
        <ul className={css.rows} aria-label={t('auto.events')}>
          {value.events.map((e, i) => (
            <li key={i} className={css.row}>
              <div className={css.what}>
                <EventPick value={e.name} onChange={(name) => put(i, { name, weight: e.weight })} />
                <Input className={css.points} type="number" min={0.01} step="any" prefix="+" value={e.weight || ''} aria-label={t('auto.points', { n: i + 1 })} onChange={(x) => put(i, { ...e, weight: Number(x.target.value) })} />
                <span>{t('auto.pointsUnit')}</span>
                {value.events.length > 1 && (
                  <Button size="small" type="text" icon={<X size={14} aria-hidden />} aria-label={t('auto.removeEvent', { n: i + 1 })} onClick={() => onChange({ ...value, events: value.events.filter((_, n) => n !== i) })} />
                )}
              </div>
              <WhereList event={e.name} value={e.where} onChange={(where) => put(i, { ...e, where })} />
            </li>
          ))}
        </ul>
        {value.events.length < MAX_EVENTS && (
          <div>
            <Button size="small" icon={<Plus size={14} aria-hidden />} onClick={() => onChange({ ...value, events: [...value.events, { name: '', weight: 1 }] })}>
              {t('auto.addEvent')}
            </Button>
          </div>
        )}
        <div className={css.grid}>
          <Amount label={t('auto.halfLife')} value={value.halfLife} step={1} onChange={(halfLife) => onChange({ ...value, halfLife: Math.round(halfLife ?? 0) })} />
          <Amount label={t('auto.have')} value={value.have} onChange={(have) => onChange({ ...value, have: have ?? 0 })} />
          <Amount label={t('auto.lose')} value={value.lose} placeholder={value.have > 0 ? String(loseOf({ have: value.have })) : undefined} onChange={(lose) => onChange({ ...value, lose })} />
          <Amount label={t('auto.cap')} value={value.cap} placeholder={t('auto.noCap')} onChange={(cap) => onChange({ ...value, cap })} />
        </div>
        <FadeCurve score={value} />
      </div>
    </EditingContext>
  )
}

function Amount({ label, value, step, placeholder, onChange }: { label: ReactNode; value: number | undefined; step?: number; placeholder?: string; onChange: (n: number | undefined) => void }) {
  return (
    <label>
      {label}
      <Input type="number" min={0} step={step ?? 'any'} value={value || ''} placeholder={placeholder} onChange={(e) => onChange(e.target.value === '' ? undefined : Number(e.target.value))} />
    </label>
  )
}
