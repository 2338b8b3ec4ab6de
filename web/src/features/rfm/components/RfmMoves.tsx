import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Rfm, RfmMigration } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useTimezone } from '@/shared/lib/session'
import { addDays, dayOf } from '@/shared/lib/time'
import { Input } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Empty, QueryState } from '@/shared/ui/states'
import { matrix, moveLink } from '../grid'
import { migrationQuery } from '../queries'
import css from './rfm.module.css'

const NONE = 'none'

/** How many days the comparison spans at first. */
const SPAN = 90

/** Who went from group to group between two days: rows are where they stood, columns where they stand. */
export function RfmMoves({ data }: { data: Rfm }) {
  const { t } = useTranslation('rfm')
  const { lang } = usePrefs()
  const zone = useTimezone()
  const [today] = useState(() => dayOf(Date.now(), zone)) // of the company, wherever the reader sits
  const [from, setFrom] = useState(() => addDays(today, -SPAN))
  const [to, setTo] = useState(today)
  const model = data.model.id ?? ''
  const query = useQuery(migrationQuery(model, from, to))
  const names = [...(data.groups ?? []).map((g) => ({ id: g.id as string, label: g.label })), { id: NONE, label: t('moves.none') }]
  return (
    <Panel
      title={t('moves.title')}
      desc={t('moves.desc')}
      extra={
        <div className={css.dates}>
          <Input type="date" aria-label={t('moves.from')} value={from} max={addDays(to || today, -1)} style={{ width: 150 }} onChange={(e) => setFrom(e.target.value)} />
          <span aria-hidden>→</span>
          <Input type="date" aria-label={t('moves.to')} value={to} max={today} style={{ width: 150 }} onChange={(e) => setTo(e.target.value)} />
        </div>
      }
    >
      <QueryState query={query} height={260}>
        {(m) => {
          const cells = matrix(m)
          if (cells.size === 0) return <Empty title={t('moves.empty')} desc={t('moves.emptyDesc')} />
          return (
            <>
              <MoveList model={model} migration={m} names={new Map(names.map((n) => [n.id, n.label]))} />
              <div className={`${css.scroll} ${css.wide}`}>
                <table className={css.matrix}>
                  <thead>
                    <tr>
                      <th scope="col">{t('moves.corner')}</th>
                      {names.map((n) => (
                        <th key={n.id} scope="col">
                          {n.label}
                        </th>
                      ))}
                    </tr>
                  </thead>
                  <tbody>
                    {names.map((a) => (
                      <tr key={a.id}>
                        <th scope="row">{a.label}</th>
                        {names.map((b) => {
                          const cell = cells.get(`${a.id}>${b.id}`)
                          return (
                            <td key={b.id} className={a.id === b.id ? css.stay : undefined}>
                              {cell ? (
                                <Link to={moveLink(model, cell.value)} aria-label={t('moves.cell', { from: a.label, to: b.label, count: cell.count })}>
                                  {formatInt(cell.count, lang)}
                                </Link>
                              ) : (
                                <span className="kp-muted">·</span>
                              )}
                            </td>
                          )
                        })}
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            </>
          )
        }}
      </QueryState>
    </Panel>
  )
}

/** The same for narrow screens: who went where as a list, the most first; whoever stayed is one line. */
function MoveList({ model, migration, names }: { model: string; migration: RfmMigration; names: Map<string, string> }) {
  const { t } = useTranslation('rfm')
  const { lang } = usePrefs()
  const all = migration.passages ?? []
  const moved = all.filter((p) => p.from !== p.to).sort((a, b) => b.count - a.count)
  const stayed = all.filter((p) => p.from === p.to).reduce((n, p) => n + p.count, 0)
  return (
    <ol className={css.narrow} aria-label={t('moves.title')}>
      {moved.map((p) => (
        <li key={p.value}>
          <span>
            {names.get(p.from) ?? p.from} → <b>{names.get(p.to) ?? p.to}</b>
          </span>
          <Link to={moveLink(model, p.value)}>{formatInt(p.count, lang)}</Link>
        </li>
      ))}
      {stayed > 0 && (
        <li className="kp-muted">
          <span>{t('moves.stayed')}</span>
          <span>{formatInt(stayed, lang)}</span>
        </li>
      )}
    </ol>
  )
}
