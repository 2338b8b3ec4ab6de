import { use } from 'react'
import { useTranslation } from 'react-i18next'
import type { RuleEvent, RuleWindow } from '@/shared/api/types'
import { formatMoney } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { MeContext } from '@/shared/lib/session'
import { Select } from '@/shared/ui/kit'
import { askOf, ASKS, asksProperty, endOps, NUMBER_OPS, withAsk, withWhere, type Ask } from './behaviour'
import { Compare } from './Compare'
import { EventPick, PropertyPick, useProperties } from './EventPick'
import css from './Rules.module.css'
import { TimeWindow } from './TimeWindow'
import { WhereList } from './WhereList'

const MEASURED: readonly Ask[] = ['sum', 'avg', 'max', 'min']
/** Events whose total is money: a whole number of minor units, which nobody reads as one. */
const PAID: readonly string[] = ['order.paid', 'order.refunded']

/** A condition on the facts of one event: done so often, never, for the first time, or what one of their properties comes to. */
export function EventCondition({ event, onChange }: { event: RuleEvent; onChange: (e: RuleEvent) => void }) {
  const { t } = useTranslation('rules')
  const ask = askOf(event)
  const { items } = useProperties(event.name)
  const type = items.find((p) => p.name === event.property)?.type
  const ends = ask === 'first' || ask === 'last'
  return (
    <>
      <div className={css.flow}>
        <Select
          className={css.ask}
          aria-label={t('event.ask')}
          value={ask}
          popupMatchSelectWidth={false}
          onChange={(next: Ask) => onChange(withAsk(event, next))}
          options={ASKS.map((a) => ({ value: a, label: t(`ask.${a}`) }))}
        />
        <EventPick
          value={event.name}
          onChange={(name) => {
            // Where-clauses and the measured property were of the other event.
            onChange(withWhere({ ...event, name, ...(event.property !== undefined ? { property: '' } : {}) }, undefined))
          }}
        />
        {asksProperty(ask) && (
          <PropertyPick
            event={event.name}
            value={event.property ?? ''}
            onChange={(property) => onChange({ ...event, property })}
            only={MEASURED.includes(ask) ? (p) => p.type === 'number' || p.type === '' : undefined}
          />
        )}
        {ask === 'did' && (
          <>
            <Compare of={{ op: event.op ?? 'gte', value: event.value ?? 1 }} ops={NUMBER_OPS} type="number" onChange={(c) => onChange({ ...event, ...c })} />
            <span className={css.word}>{t('event.times')}</span>
          </>
        )}
        {asksProperty(ask) && (
          <Compare
            of={{ op: event.op, value: event.value }}
            ops={ends ? endOps(type) : NUMBER_OPS}
            type={ends ? type : 'number'}
            samples={items.find((p) => p.name === event.property)?.samples}
            onChange={(c) => onChange({ ...event, ...c })}
          />
        )}
        {MEASURED.includes(ask) && PAID.includes(event.name) && event.property === 'total' && <InMoney value={event.value} />}
        <TimeWindow must={ask === 'firstTime'} value={event.within} onChange={(within) => onChange(inTime(event, within))} />
      </div>
      <WhereList event={event.name} value={event.where} onChange={(where) => onChange(withWhere(event, where))} />
    </>
  )
}

/** What a number of minor units is in money. */
function InMoney({ value }: { value: unknown }) {
  const { t } = useTranslation('rules')
  const { lang } = usePrefs()
  const currency = use(MeContext)?.company.currency
  if (!currency) return null
  const words = [value].flat().flatMap((v) => (typeof v === 'number' ? [formatMoney({ amount: v, currency }, lang)] : []))
  return <span className={css.word}>{words.length > 0 ? t('event.money', { money: words.join(' – ') }) : t('event.minor')}</span>
}

/** The condition in another time; without one, ever. */
function inTime(e: RuleEvent, within: RuleWindow | undefined): RuleEvent {
  const next = { ...e, within }
  if (!within) delete next.within
  return next
}
