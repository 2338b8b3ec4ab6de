import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Navigate } from 'react-router'
import { useCursorList } from '@/shared/api/cursor'
import type { ConsentPerson } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useUrlChoice, useUrlText } from '@/shared/lib/url'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { FilterBar } from '@/shared/ui/FilterBar'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { DateTime, None, Person, TimeAgo } from '@/shared/ui/values'
import { CHANNELS, peoplePage, purposesQuery, type PeopleState } from '../queries'
import { usePurposeName } from '../words'

const STATES: readonly PeopleState[] = ['granted', 'withdrawn', 'unknown']
const WHERE = ['all', ...CHANNELS] as const

/** The people behind a total of consent: as many as the number said. */
export default function ConsentPeoplePage() {
  const [purpose] = useUrlText('purpose')
  return purpose ? <People purpose={purpose} /> : <Navigate to="/consent" replace />
}

function People({ purpose }: { purpose: string }) {
  const { t } = useTranslation('consent')
  const { lang } = usePrefs()
  const [channel] = useUrlChoice('channel', WHERE, 'all')
  const [state] = useUrlChoice('state', STATES, 'granted')
  const name = usePurposeName(useQuery(purposesQuery()).data?.items)
  const list = useCursorList(peoplePage({ purpose, channel, state }))
  const title = [name(purpose), channel === 'all' ? undefined : t(`channel.${channel}`), t(`state.${state}`)].filter(Boolean).join(' · ')
  const columns: Column<ConsentPerson>[] = [
    { key: 'name', title: t('recent.who'), render: (r) => <Person name={r.name} sub={r.phone ?? r.email} /> },
    { key: 'city', title: t('people.city'), render: (r) => r.city || <None /> },
    { key: 'owner', title: t('people.owner'), render: (r) => r.owner?.name ?? <None /> },
    { key: 'seen', title: t('people.seen'), render: (r) => (r.lastSeenAt ? <TimeAgo at={r.lastSeenAt} /> : <None />) },
    { key: 'created', title: t('people.created'), render: (r) => <DateTime at={r.createdAt} dateOnly /> },
  ]
  return (
    <Page>
      <PageHead title={title} back={{ to: '/consent', label: t('page.title') }} />
      <Panel flush>
        <FilterBar extra={list.total !== undefined && <b className="kp-num">{t('people.total', { total: formatInt(list.total, lang) })}</b>}>{null}</FilterBar>
        <DataTable label={title} list={list} columns={columns} rowKey={(r) => r.id} rowHref={(r) => `/contacts/${r.id}`} empty={<Empty title={t('people.empty')} />} />
      </Panel>
    </Page>
  )
}
