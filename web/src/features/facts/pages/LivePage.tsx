import { Eraser, Pause, Play } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { LiveFact } from '@/shared/api/types'
import { useUrlChoice, useUrlPatch, useUrlText } from '@/shared/lib/url'
import { Chip, StatusDot, type Tone } from '@/shared/ui/chips'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { FilterBar, FilterSelect, SearchBox } from '@/shared/ui/FilterBar'
import { JsonView } from '@/shared/ui/JsonView'
import { Button } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { DateTime, None } from '@/shared/ui/values'
import { useLive, type LiveState } from '../useLive'

const TYPES = ['track', 'identify', 'page', 'screen', 'group', 'alias'] as const
const OUTCOMES: Record<LiveFact['outcome'], Tone> = { stored: 'good', duplicate: 'neutral', set_aside: 'bad' }
const STATES: Record<LiveState, Tone> = { connecting: 'neutral', live: 'good', lost: 'bad' }

/** Facts as they arrive, and what each was resolved to. */
export default function LivePage() {
  const { t } = useTranslation('facts')
  const patch = useUrlPatch()
  const [name, setName] = useUrlText('name')
  const [source, setSource] = useUrlText('source')
  const [contact, setContact] = useUrlText('contact')
  const [type, setType] = useUrlChoice('type', TYPES)
  const [paused, setPaused] = useState(false)
  const { facts, state, clear } = useLive({ name, type, source, contact }, paused)
  const filtered = name !== '' || source !== '' || contact !== '' || type !== undefined
  const reset = () => patch({ name: '', source: '', contact: '', type: '' })

  const columns: Column<LiveFact>[] = [
    {
      key: 'name',
      title: t('column.name'),
      render: (f) => (
        <span className="kp-row">
          <b className="kp-strong">{f.name}</b> <Chip>{f.type}</Chip>
        </span>
      ),
    },
    { key: 'outcome', title: t('column.outcome'), width: 130, render: (f) => <StatusDot tone={OUTCOMES[f.outcome]}>{f.reason ? `${t(`outcome.${f.outcome}`)} · ${f.reason}` : t(`outcome.${f.outcome}`)}</StatusDot> },
    {
      key: 'who',
      title: t('column.who'),
      render: (f) =>
        f.contact ? (
          <span className="kp-row">
            <Link to={`/contacts/${f.contact.id}`}>{f.contact.name || t(`kind.${f.contact.kind}`)}</Link>
            {f.contact.kind === 'visitor' && f.contact.name && <Chip>{t('kind.visitor')}</Chip>}
          </span>
        ) : (
          <None />
        ),
    },
    { key: 'ids', title: t('column.ids'), clip: true, render: (f) => <span className="kp-muted">{f.identifiers.map((i) => `${i.kind} ${i.value}`).join(' · ')}</span> },
    { key: 'source', title: t('column.source'), width: 120, render: (f) => f.source },
    { key: 'at', title: t('column.received'), width: 170, render: (f) => <DateTime at={f.receivedAt} seconds /> },
  ]
  const list = { items: facts, total: facts.length, loading: false, fetching: false, error: undefined, refetch: () => undefined, hasMore: false, loadingMore: false, loadMore: () => undefined }
  return (
    <Page>
      <PageHead
        title={t('live.title')}
        desc={t('live.desc')}
        extra={
          <span className="kp-row">
            <StatusDot tone={paused ? 'warn' : STATES[state]} pulse={!paused && state === 'live'}>
              {paused ? t('live.paused') : t(`live.${state}`)}
            </StatusDot>
            <Button icon={paused ? <Play size={15} aria-hidden /> : <Pause size={15} aria-hidden />} onClick={() => setPaused(!paused)}>
              {paused ? t('live.resume') : t('live.pause')}
            </Button>
            <Button icon={<Eraser size={15} aria-hidden />} onClick={clear} disabled={facts.length === 0}>
              {t('live.clear')}
            </Button>
          </span>
        }
      />
      <Panel flush>
        <FilterBar active={filtered} onClear={reset}>
          <SearchBox value={name} onChange={setName} placeholder={t('filter.name')} width={200} />
          <FilterSelect label={t('filter.type')} value={type} onChange={setType} options={TYPES.map((v) => ({ value: v, label: v }))} />
          <SearchBox value={source} onChange={setSource} placeholder={t('filter.source')} width={160} />
          <SearchBox value={contact} onChange={setContact} placeholder={t('filter.contact')} width={220} />
        </FilterBar>
        <DataTable
          label={t('live.title')}
          list={list}
          columns={columns}
          rowKey={(f) => `${f.position}/${f.messageId}`}
          filtered={filtered}
          onClearFilters={reset}
          empty={
            <Empty
              title={t('live.empty')}
              desc={t('live.emptyDesc')}
              action={
                <Link to="/keys">
                  <Button>{t('live.keys')}</Button>
                </Link>
              }
            />
          }
          expand={(f) => <JsonView value={{ messageId: f.messageId, timestamp: f.timestamp, position: f.position, properties: f.properties, context: f.context }} depth={2} label={t('fact')} />}
        />
      </Panel>
    </Page>
  )
}
