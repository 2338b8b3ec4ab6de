import { useQuery } from '@tanstack/react-query'
import dayjs from 'dayjs'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Rfm } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { Input } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Empty, QueryState } from '@/shared/ui/states'
import { matrix, moveLink } from '../grid'
import { migrationQuery } from '../queries'
import css from './rfm.module.css'

const NONE = 'none'

/** Who went from group to group between two days: rows are where they stood, columns where they stand. */
export function RfmMoves({ data }: { data: Rfm }) {
  const { t } = useTranslation('rfm')
  const { lang } = usePrefs()
  const [from, setFrom] = useState(() => dayjs().subtract(3, 'month').format('YYYY-MM-DD'))
  const [to, setTo] = useState('')
  const model = data.model.id ?? ''
  const query = useQuery(migrationQuery(model, from, to))
  const names = [...(data.groups ?? []).map((g) => ({ id: g.id as string, label: g.label })), { id: NONE, label: t('moves.none') }]
  return (
    <Panel
      title={t('moves.title')}
      desc={t('moves.desc')}
      extra={
        <div className={css.dates}>
          <Input type="date" aria-label={t('moves.from')} value={from} max={to || dayjs().format('YYYY-MM-DD')} style={{ width: 150 }} onChange={(e) => setFrom(e.target.value)} />
          <span aria-hidden>→</span>
          <Input type="date" aria-label={t('moves.to')} value={to || dayjs().format('YYYY-MM-DD')} max={dayjs().format('YYYY-MM-DD')} style={{ width: 150 }} onChange={(e) => setTo(e.target.value)} />
        </div>
      }
    >
      <QueryState query={query} height={260}>
        {(m) => {
          const cells = matrix(m)
          if (cells.size === 0) return <Empty title={t('moves.empty')} desc={t('moves.emptyDesc')} />
          return (
            <div className={css.scroll}>
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
          )
        }}
      </QueryState>
    </Panel>
  )
}
