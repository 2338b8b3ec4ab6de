import { useQuery } from '@tanstack/react-query'
import { useCallback, useMemo, useState, type CSSProperties } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useNavigate } from 'react-router'
import type { Machine, MachineFlow } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { Select } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Sankey } from '@/shared/ui/Sankey'
import { Empty, QueryState } from '@/shared/ui/states'
import { movesOf, type MachineName } from '../machine'
import { flowQuery } from '../queries'
import css from './lifecycle.module.css'

const ALL = 'all'

/** Who moved from where to where, in a month or over all months shown. */
export function Flow({ machine, data }: { machine: MachineName; data: Machine }) {
  const { t } = useTranslation('lifecycle')
  const [month, setMonth] = useState(ALL)
  const query = useQuery(flowQuery(machine))
  const months = query.data?.months ?? []
  return (
    <Panel
      title={t('flow.title')}
      desc={t('flow.desc')}
      extra={
        months.length > 0 && (
          <Select
            aria-label={t('flow.month')}
            value={month}
            onChange={setMonth}
            style={{ width: 150 }}
            options={[{ value: ALL, label: t('flow.all', { count: months.length }) }, ...months.map((m) => ({ value: m.month, label: m.month })).reverse()]}
          />
        )
      }
    >
      <QueryState query={query} height={320}>
        {(flow) => <Drawn machine={machine} data={data} flow={flow} month={month === ALL ? undefined : month} />}
      </QueryState>
    </Panel>
  )
}

function Drawn({ machine, data, flow, month }: { machine: MachineName; data: Machine; flow: MachineFlow; month?: string }) {
  const { t } = useTranslation('lifecycle')
  const { lang } = usePrefs()
  const go = useNavigate()
  const moves = useMemo(() => movesOf(machine, flow, month), [machine, flow, month])
  const nodes = useMemo(() => (data.states ?? []).map((s) => ({ id: s.id, name: s.label, color: s.color })), [data.states])
  const links = useMemo(() => moves.map((m) => ({ from: m.from, to: m.to, value: m.count })), [moves])
  const format = useCallback((n: number) => formatInt(n, lang), [lang])
  const known = new Map(nodes.map((n) => [n.id, n]))
  if (flow.limited) return <Empty title={t('flow.limited')} desc={t('flow.limitedDesc')} />
  if (moves.length === 0) return <Empty title={t('flow.empty')} desc={t('flow.emptyDesc')} />
  const name = (id: string) => (
    <span style={{ '--state': known.get(id)?.color ?? 'var(--muted)' } as CSSProperties}>
      <i className={css.dot} aria-hidden />
      {known.get(id)?.name ?? t('flow.gone', { id })}
    </span>
  )
  return (
    <div className={css.flow}>
      <Sankey label={t('flow.title')} nodes={nodes} links={links} format={format} onLink={(i) => moves[i] && void go(moves[i].link)} />
      <table className={css.moves}>
        <thead>
          <tr>
            <th scope="col">{t('flow.from')}</th>
            <th scope="col">{t('flow.to')}</th>
            <th scope="col">{t('flow.people')}</th>
          </tr>
        </thead>
        <tbody>
          {moves.slice(0, 14).map((m) => (
            <tr key={`${m.from}>${m.to}`}>
              <td>{name(m.from)}</td>
              <td>{name(m.to)}</td>
              <td>
                <Link className="kp-num" to={m.link}>
                  {formatInt(m.count, lang)}
                </Link>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
