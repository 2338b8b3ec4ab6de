import { useQueryClient } from '@tanstack/react-query'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useCursorList } from '@/shared/api/cursor'
import type { DefState, EventDef } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { useUrlChoice, useUrlPatch, useUrlText } from '@/shared/lib/url'
import { Chip } from '@/shared/ui/chips'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { Dialog } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { FilterBar, FilterPills, SearchBox } from '@/shared/ui/FilterBar'
import { Field, Form } from '@/shared/ui/Form'
import { Button, Input, Tabs } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { Count, TimeAgo } from '@/shared/ui/values'
import { StateChip } from '../components/StateChip'
import { Violations } from '../components/Violations'
import { createEvent, eventsPage } from '../queries'

const STATES: readonly DefState[] = ['learned', 'expected', 'hidden']
const TABS = ['events', 'violations'] as const

/** The events and what breaks the plan. */
export default function DictionaryPage() {
  const { t } = useTranslation('dictionary')
  const may = useCan('dictionary.write')
  const [tab, setTab] = useUrlChoice('tab', TABS, 'events')
  const [adding, setAdding] = useState(false)
  return (
    <Page>
      <PageHead
        title={t('title')}
        desc={t('desc')}
        extra={
          may && (
            <Button type="primary" icon={<Plus size={15} aria-hidden />} onClick={() => setAdding(true)}>
              {t('add.title')}
            </Button>
          )
        }
      />
      <Tabs
        activeKey={tab}
        onChange={(k) => setTab(TABS.find((x) => x === k))}
        items={[
          { key: 'events', label: t('tab.events'), children: <Events /> },
          { key: 'violations', label: t('tab.violations'), children: <Violations /> },
        ]}
      />
      <NewEvent open={adding} onClose={() => setAdding(false)} />
    </Page>
  )
}

function Events() {
  const { t } = useTranslation('dictionary')
  const patch = useUrlPatch()
  const [q, setQ] = useUrlText('q')
  const [state, setState] = useUrlChoice('state', STATES)
  const filter = { q: q || undefined, state }
  const list = useCursorList({ queryKey: ['dictionary', 'events', filter], page: eventsPage(filter) })
  const filtered = q !== '' || state !== undefined
  const clear = () => patch({ q: '', state: '' })
  const columns: Column<EventDef>[] = [
    {
      key: 'name',
      title: t('column.name'),
      render: (e) => (
        <span>
          <b className="kp-strong">{e.displayName || e.name}</b>
          <br />
          <small className="kp-muted">{e.name}</small>
        </span>
      ),
    },
    { key: 'state', title: t('column.state'), render: (e) => <StateChip state={e.state} /> },
    { key: 'volume7d', title: t('column.week'), align: 'right', render: (e) => <Count value={e.volume7d} /> },
    { key: 'volume', title: t('column.all'), align: 'right', render: (e) => <Count value={e.volume} /> },
    { key: 'properties', title: t('column.properties'), align: 'right', render: (e) => <Count value={e.properties} /> },
    {
      key: 'violations',
      title: t('column.violations'),
      align: 'right',
      render: (e) =>
        e.violations > 0 ? (
          <Link to={`/dictionary?tab=violations&event=${encodeURIComponent(e.name)}`}>
            <Chip tone="bad">{e.violations}</Chip>
          </Link>
        ) : (
          <Count value={0} />
        ),
    },
    { key: 'seen', title: t('column.seen'), render: (e) => (e.lastSeenAt ? <TimeAgo at={e.lastSeenAt} /> : <span className="kp-muted">{t('never')}</span>) },
  ]
  return (
    <Panel flush>
      <FilterBar active={filtered} onClear={clear}>
        <SearchBox value={q} onChange={setQ} placeholder={t('filter.q')} />
        <FilterPills label={t('column.state')} value={state} onChange={setState} options={STATES.map((s) => ({ value: s, label: t(`state.${s}`) }))} />
      </FilterBar>
      <DataTable
        label={t('tab.events')}
        list={list}
        columns={columns}
        rowKey={(e) => e.name}
        rowHref={(e) => `/dictionary/${encodeURIComponent(e.name)}`}
        filtered={filtered}
        onClearFilters={clear}
        empty={<Empty title={t('empty.title')} desc={t('empty.desc')} />}
      />
    </Panel>
  )
}

function NewEvent({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useTranslation('dictionary')
  const client = useQueryClient()
  const toast = useToast()
  return (
    <Dialog open={open} onClose={onClose} title={t('add.title')}>
      <p className="kp-muted">{t('add.desc')}</p>
      <Form<{ name: string; displayName?: string; description?: string }>
        submit={t('add.ok')}
        extra={<Button onClick={onClose}>{t('cancel')}</Button>}
        onSubmit={async (v) => {
          await createEvent({ ...v, name: v.name.trim() })
          toast.done(t('add.done'))
          await client.invalidateQueries({ queryKey: ['dictionary'] })
          onClose()
        }}
      >
        <Field name="name" label={t('field.name')} extra={t('field.nameHint')} rules={[{ required: true, whitespace: true, message: t('field.nameNeeded') }]}>
          <Input maxLength={120} autoFocus />
        </Field>
        <Field name="displayName" label={t('field.displayName')}>
          <Input maxLength={120} />
        </Field>
        <Field name="description" label={t('field.description')}>
          <Input.TextArea rows={2} maxLength={1000} />
        </Field>
      </Form>
    </Dialog>
  )
}
