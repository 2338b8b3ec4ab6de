import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { ConsentTotals } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { Chip } from '@/shared/ui/chips'
import { Grid, type Column } from '@/shared/ui/Grid'
import { Panel } from '@/shared/ui/Panel'
import { QueryState } from '@/shared/ui/states'
import { purposesQuery, totalsQuery, type PeopleState } from '../queries'
import { usePurposeName } from '../words'

type Total = ConsentTotals['items'][number]

/** How many people stand how, by purpose and channel. Each number opens who they are. */
export function TotalsPanel() {
  const { t } = useTranslation('consent')
  const { lang } = usePrefs()
  const query = useQuery(totalsQuery())
  const purposes = useQuery(purposesQuery()).data?.items
  const name = usePurposeName(purposes)
  // Where the law asks for no consent, nobody having said anything is as it should be.
  const basis = (id: string) => {
    const found = purposes?.find((p) => p.id === id)
    return found && found.basis !== 'consent' ? t('totals.noNeed', { basis: t(`basis.${found.basis}`) }) : undefined
  }
  const open = (row: Total, state: PeopleState) => (
    <Link className="kp-num" to={`/consent/people?${new URLSearchParams({ purpose: row.purpose, channel: row.channel, state })}`}>
      {formatInt(row[state], lang)}
    </Link>
  )
  const items = query.data?.items ?? []
  const begins = (row: Total) => items[items.indexOf(row) - 1]?.purpose !== row.purpose
  const columns: Column<Total>[] = [
    {
      key: 'purpose',
      title: t('totals.purpose'),
      render: (r) => (
        <span className={begins(r) ? 'kp-strong' : 'kp-muted'}>
          {name(r.purpose)} {begins(r) && basis(r.purpose) && <Chip tone="info">{basis(r.purpose)}</Chip>}
        </span>
      ),
    },
    { key: 'channel', title: t('totals.channel'), render: (r) => (r.channel === 'all' ? t('channel.use') : t(`channel.${r.channel as 'sms'}`)) },
    { key: 'granted', title: t('state.granted'), align: 'right', render: (r) => open(r, 'granted') },
    { key: 'withdrawn', title: t('state.withdrawn'), align: 'right', render: (r) => open(r, 'withdrawn') },
    { key: 'unknown', title: t('state.unknown'), align: 'right', render: (r) => open(r, 'unknown') },
  ]
  return (
    <Panel flush title={t('totals.title')} desc={t('totals.desc')}>
      <QueryState query={query} height={420}>
        {(data) => (
          <>
            <Grid label={t('totals.title')} rows={data.items} columns={columns} rowKey={(r) => r.purpose + r.channel} />
            <div className="kp-table-foot">
              <span>
                {t('everything')}{' '}
                <Link className="kp-num" to="/consent/people?purpose=everything&channel=all&state=withdrawn">
                  {formatInt(data.doNotContact, lang)}
                </Link>
              </span>
              <span className="kp-muted">{t('totals.foot', { people: formatInt(data.people, lang), rows: formatInt(data.rows, lang) })}</span>
            </div>
          </>
        )}
      </QueryState>
    </Panel>
  )
}
