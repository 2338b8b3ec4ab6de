import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useParams } from 'react-router'
import { wholeList } from '@/shared/api/cursor'
import type { DefState, EventDetail, PropertyDef } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { Chart } from '@/shared/ui/Chart'
import { Chip } from '@/shared/ui/chips'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { useToast } from '@/shared/ui/feedback'
import { Field, Form } from '@/shared/ui/Form'
import { Input, Select } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty, QueryState } from '@/shared/ui/states'
import { Count, DateTime, TimeAgo } from '@/shared/ui/values'
import { PropertyDrawer } from '../components/PropertyDrawer'
import { StateChip } from '../components/StateChip'
import { eventQuery, updateEvent, type EventInput } from '../queries'

const STATES: readonly DefState[] = ['learned', 'expected', 'hidden']

/** One event: how often, with which properties, and what is said about it. */
export default function EventPage() {
  const { t } = useTranslation('dictionary')
  const { name = '' } = useParams()
  const query = useQuery(eventQuery(name))
  const e = query.data
  return (
    <Page>
      <PageHead title={e?.displayName || name} desc={e?.displayName ? <code>{name}</code> : undefined} back={{ to: '/dictionary', label: t('title') }} extra={e && <StateChip state={e.state} />} />
      <QueryState query={query} height={520}>
        {(data) => (
          <div className="kp-stack">
            <div className="kp-grid main-side">
              <Volume event={data} />
              <About event={data} />
            </div>
            <Properties event={data} />
          </div>
        )}
      </QueryState>
    </Page>
  )
}

function Volume({ event }: { event: EventDetail }) {
  const { t } = useTranslation('dictionary')
  const { lang } = usePrefs()
  return (
    <Panel title={t('volume.title')} desc={t('volume.desc', { count: event.volume, week: event.volume7d })}>
      <Chart
        label={t('volume.title')}
        buckets={event.trend.map((d) => d.date)}
        series={[{ key: 'count', name: t('column.count'), values: event.trend.map((d) => d.count) }]}
        format={(n) => formatInt(n, lang)}
        height={220}
        kind="bar"
        bucketTitle={t('volume.day')}
      />
      <p className="kp-muted">
        {t('column.first')} <DateTime at={event.firstSeenAt} /> · {t('column.seen')} <TimeAgo at={event.lastSeenAt} />
      </p>
    </Panel>
  )
}

function About({ event }: { event: EventDetail }) {
  const { t } = useTranslation('dictionary')
  const may = useCan('dictionary.write')
  const client = useQueryClient()
  const toast = useToast()
  return (
    <Panel title={t('about.title')}>
      <Form<EventInput>
        key={event.name}
        disabled={!may}
        initial={{ displayName: event.displayName, description: event.description, category: event.category, state: event.state }}
        submit={t('save')}
        onSubmit={async (v) => {
          await updateEvent(event.name, v)
          toast.done(t('saved'))
          await client.invalidateQueries({ queryKey: ['dictionary'] })
        }}
      >
        <Field name="displayName" label={t('field.displayName')}>
          <Input maxLength={120} />
        </Field>
        <Field name="category" label={t('field.category')}>
          <Input maxLength={60} />
        </Field>
        <Field name="description" label={t('field.description')}>
          <Input.TextArea rows={2} maxLength={1000} />
        </Field>
        <Field name="state" label={t('column.state')} extra={t('field.stateHint')}>
          <Select options={STATES.map((s) => ({ value: s, label: t(`state.${s}`) }))} />
        </Field>
      </Form>
    </Panel>
  )
}

function Properties({ event }: { event: EventDetail }) {
  const { t } = useTranslation('dictionary')
  const [open, setOpen] = useState<PropertyDef>()
  const query = { data: { items: event.items }, isPending: false, isFetching: false, error: null, refetch: () => undefined }
  const columns: Column<PropertyDef>[] = [
    {
      key: 'name',
      title: t('column.property'),
      render: (p) => (
        <span>
          <b className="kp-strong">{p.displayName || p.name}</b> {p.displayName && <small className="kp-muted">{p.name}</small>} {p.required && <Chip tone="warn">{t('required')}</Chip>}{' '}
          {p.column && <Chip tone="violet">{t('column.typed')}</Chip>}
        </span>
      ),
    },
    { key: 'state', title: t('column.state'), render: (p) => <StateChip state={p.state} /> },
    {
      key: 'types',
      title: t('column.types'),
      render: (p) => (
        <span className="kp-row wrap">
          {p.types.map((x) => (
            <Chip key={x.type} tone={p.expectedType && p.expectedType !== x.type && x.type !== 'null' ? 'bad' : 'neutral'}>
              {t(`type.${x.type}`)}
            </Chip>
          ))}
        </span>
      ),
    },
    { key: 'count', title: t('column.count'), align: 'right', render: (p) => <Count value={p.count} /> },
    { key: 'samples', title: t('column.sample'), render: (p) => <span className="kp-muted">{p.samples.slice(0, 3).join(' · ')}</span> },
    { key: 'seen', title: t('column.seen'), render: (p) => <TimeAgo at={p.lastSeenAt} /> },
  ]
  return (
    <Panel flush title={t('properties.title')} desc={t('properties.desc')}>
      <DataTable label={t('properties.title')} list={wholeList(query)} columns={columns} rowKey={(p) => p.name} onOpen={setOpen} empty={<Empty title={t('properties.empty')} />} />
      <PropertyDrawer event={event.name} property={open} onClose={() => setOpen(undefined)} />
    </Panel>
  )
}
