import { useQuery } from '@tanstack/react-query'
import { UserSearch } from 'lucide-react'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate, useSearchParams } from 'react-router'
import { useCursorList } from '@/shared/api/cursor'
import { useChannelOptions } from '@/shared/lib/channels'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan, useTimezone } from '@/shared/lib/session'
import { useUrlPatch } from '@/shared/lib/url'
import { DataTable } from '@/shared/ui/DataTable'
import { DateRange } from '@/shared/ui/DateRange'
import { FilterBar, FilterSelect } from '@/shared/ui/FilterBar'
import { Button } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { useContactColumns } from '../components/useContactColumns'
import { homeLink, readPeople, writePeriod, type PeopleScope } from '../people'
import { eventNamesQuery, peoplePage } from '../queries'

/** The people behind a number: as many as the number said. */
export default function PeoplePage() {
  const { t } = useTranslation('contacts')
  const zone = useTimezone()
  const go = useNavigate()
  const [params] = useSearchParams()
  const scope = useMemo(() => readPeople(params, zone), [params, zone])
  if (scope) return <People scope={scope} />
  return (
    <Page>
      <PageHead title={t('people.unknown')} back={{ to: '/home', label: t('people.back') }} />
      <Panel>
        <Empty
          icon={<UserSearch size={26} strokeWidth={1.5} aria-hidden />}
          title={t('people.unknown')}
          desc={t('people.unknownDesc')}
          action={<Button onClick={() => void go('/home')}>{t('people.back')}</Button>}
        />
      </Panel>
    </Page>
  )
}

/** The event's title in the reader's words, where the dictionary may be read. */
function useEventTitle(name: string): string {
  const { data } = useQuery(eventNamesQuery(useCan('dictionary.read') && name !== ''))
  return data?.items.find((e) => e.name === name)?.displayName || name
}

function People({ scope }: { scope: PeopleScope }) {
  const { t } = useTranslation('contacts')
  const { lang } = usePrefs()
  const zone = useTimezone()
  const patch = useUrlPatch()
  const channels = useChannelOptions()
  const columns = useContactColumns(false)
  const list = useCursorList(peoplePage(scope.query))
  const event = useEventTitle(scope.event)
  const title = scope.metric === 'event' ? t('people.event', { event }) : t(`people.${scope.metric}`)
  const span = { first: scope.range.first, last: scope.range.last }
  return (
    <Page>
      <PageHead
        title={title}
        back={{ to: homeLink(scope), label: t('people.back') }}
        desc={scope.metric === 'event' ? t('people.eventDesc', { ...span, event }) : t(`people.${scope.metric}Desc`, span)}
        extra={<DateRange value={scope.range} onChange={(next) => patch(writePeriod(next, zone))} />}
      />
      <Panel flush>
        <FilterBar
          extra={
            list.total !== undefined && (
              <span className="kp-row">
                <b className="kp-num">{t('people.total', { total: formatInt(list.total, lang) })}</b>
                {list.outside !== undefined && list.outside > 0 && <span className="kp-muted">{t('people.outside', { more: formatInt(list.outside, lang) })}</span>}
              </span>
            )
          }
        >
          <FilterSelect
            label={t('people.allChannels')}
            value={scope.channel || undefined}
            onChange={(channel) => patch({ channel })}
            options={channels}
          />
        </FilterBar>
        <DataTable
          label={title}
          list={list}
          columns={columns}
          rowKey={(r) => r.id}
          rowHref={(r) => `/contacts/${r.id}`}
          columnsKey="people"
          filtered={scope.channel !== ''}
          onClearFilters={() => patch({ channel: '' })}
          empty={<Empty title={t('people.empty')} desc={t('people.emptyDesc')} />}
        />
      </Panel>
    </Page>
  )
}
