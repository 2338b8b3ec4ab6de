import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useCursorList } from '@/shared/api/cursor'
import type { Violation } from '@/shared/api/types'
import { useUrlText } from '@/shared/lib/url'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { FilterBar, SearchBox } from '@/shared/ui/FilterBar'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { Count, DateTime, None } from '@/shared/ui/values'
import { violationsPage } from '../queries'

/** Traffic that does not match the plan, worst first. */
export function Violations() {
  const { t } = useTranslation('dictionary')
  const [event, setEvent] = useUrlText('event')
  const list = useCursorList({ queryKey: ['dictionary', 'violations', event], page: violationsPage(event || undefined) })
  const columns: Column<Violation>[] = [
    { key: 'event', title: t('column.name'), render: (v) => <Link to={`/dictionary/${encodeURIComponent(v.event)}`}>{v.event}</Link> },
    { key: 'property', title: t('column.property'), render: (v) => (v.property ? <code>{v.property}</code> : <None />) },
    { key: 'kind', title: t('column.problem'), render: (v) => t(`violation.${v.kind}`) },
    { key: 'count', title: t('column.count'), align: 'right', render: (v) => <Count value={v.count} /> },
    { key: 'sample', title: t('column.sample'), clip: true, render: (v) => (v.sample ? <code>{v.sample}</code> : <None />) },
    { key: 'source', title: t('column.source'), render: (v) => v.source || <None /> },
    { key: 'last', title: t('column.seen'), render: (v) => <DateTime at={v.lastAt} /> },
  ]
  return (
    <Panel flush>
      <FilterBar active={event !== ''} onClear={() => setEvent('')}>
        <SearchBox value={event} onChange={setEvent} placeholder={t('filter.event')} />
      </FilterBar>
      <DataTable
        label={t('tab.violations')}
        list={list}
        columns={columns}
        rowKey={(v) => v.id}
        filtered={event !== ''}
        onClearFilters={() => setEvent('')}
        empty={<Empty title={t('violations.empty')} desc={t('violations.emptyDesc')} />}
      />
    </Panel>
  )
}
