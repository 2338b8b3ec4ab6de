import { ArrowDownRight, ArrowUpRight, Hand, Minus } from 'lucide-react'
import type { CSSProperties } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Machine } from '@/shared/api/types'
import { formatInt, formatPercent } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { Chip } from '@/shared/ui/chips'
import { handOf, peopleOf, type MachineName } from '../machine'
import css from './lifecycle.module.css'

type StateView = NonNullable<Machine['states']>[number]

/** States as columns: how many are in each, against a month ago, and who belongs there. Each number opens its people. */
export function Board({ machine, data }: { machine: MachineName; data: Machine }) {
  const states = data.states ?? []
  return (
    <ul className={css.board}>
      {states.map((s) => (
        <State key={s.id} machine={machine} state={s} total={data.total} names={new Map(states.map((x) => [x.id, x.label]))} />
      ))}
    </ul>
  )
}

function State({ machine, state, total, names }: { machine: MachineName; state: StateView; total: number; names: Map<string, string> }) {
  const { t } = useTranslation('lifecycle')
  const { lang } = usePrefs()
  const share = total > 0 ? state.count / total : 0
  const say = (w: { zh?: string; en?: string } | undefined) => (lang === 'en' ? w?.en || w?.zh : w?.zh || w?.en)
  return (
    <li className={`kp-panel ${css.state}`} style={{ '--state': state.color } as CSSProperties}>
      <div className={css.head}>
        <h2>{state.label}</h2>
        {!state.rule && <Chip>{t('state.rest')}</Chip>}
      </div>
      <Link className={css.count} to={peopleOf(machine, state.id)} aria-label={t('state.open', { name: state.label, count: state.count })}>
        <b>{formatInt(state.count, lang)}</b>
        <span className="kp-muted kp-num">{formatPercent(share, lang)}</span>
      </Link>
      <div className={css.bar} aria-hidden>
        <i style={{ width: `${Math.round(share * 100)}%` }} />
      </div>
      <Change now={state.count} before={state.before} />
      {state.hand > 0 && (
        <Link className={css.hand} to={handOf(machine, state.id)}>
          <Hand size={13} aria-hidden /> {t('state.hand', { count: state.hand })}
        </Link>
      )}
      {say(state.note) && <p className={`kp-muted ${css.note}`}>{say(state.note)}</p>}
      {say(state.carriers) && (
        <p className={css.carriers}>
          <b>{t('state.carriers')}</b>
          <br />
          {say(state.carriers)}
        </p>
      )}
      <p className={css.rule}>
        {state.sentence || t('state.restRule')}
        {!!state.from?.length && <span className="kp-muted"> {t('state.onlyFrom', { names: state.from.map((f) => names.get(f) ?? f).join(lang === 'en' ? ', ' : '、') })}</span>}
        {!!state.stay && <span className="kp-muted"> {t('state.stays', { count: state.stay })}</span>}
      </p>
    </li>
  )
}

function Change({ now, before }: { now: number; before?: number }) {
  const { t } = useTranslation('lifecycle')
  const { lang } = usePrefs()
  if (before === undefined) return null
  const by = now - before
  const Icon = by > 0 ? ArrowUpRight : by < 0 ? ArrowDownRight : Minus
  return (
    <span className="kp-muted kp-num">
      <Icon size={13} aria-hidden /> {by > 0 ? '+' : ''}
      {formatInt(by, lang)} {t('state.against')}
    </span>
  )
}
