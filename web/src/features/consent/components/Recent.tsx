import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useCursorList } from '@/shared/api/cursor'
import type { ConsentBatch, ConsentRow } from '@/shared/api/types'
import { formatBytes, formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { useUrlChoice, useUrlPatch } from '@/shared/lib/url'
import { Chip } from '@/shared/ui/chips'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { useConfirm, useToast } from '@/shared/ui/feedback'
import { FilterBar, FilterSelect } from '@/shared/ui/FilterBar'
import { Button } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { DateTime, None } from '@/shared/ui/values'
import { batchesPage, CONSENT_KEY, ledgerPage, purposesQuery, SOURCES, undoBatch } from '../queries'
import { usePurposeName } from '../words'
import { ProofText, StateOf } from './ConsentHistory'

const STATES = ['granted', 'withdrawn', 'voided'] as const

/** What people said lately, and the changes of many at once. */
export function Recent() {
  const { t } = useTranslation('consent')
  const [state, setState] = useUrlChoice('state', STATES)
  const [source, setSource] = useUrlChoice('source', SOURCES)
  const patch = useUrlPatch()
  const name = usePurposeName(useQuery(purposesQuery()).data?.items)
  const list = useCursorList(ledgerPage({ state, source }))
  const clear = () => patch({ state: '', source: '' })
  const columns: Column<ConsentRow>[] = [
    { key: 'at', title: t('recent.at'), render: (r) => <DateTime at={r.recordedAt} seconds /> },
    { key: 'who', title: t('recent.who'), render: (r) => (r.contact ? <Link to={`/contacts/${r.contact.id}`}>{r.contact.name || r.contact.id}</Link> : <None />) },
    { key: 'state', title: t('recent.state'), render: (r) => <StateOf row={r} /> },
    { key: 'purpose', title: t('totals.purpose'), render: (r) => name(r.purpose) },
    { key: 'channel', title: t('totals.channel'), render: (r) => t(`channel.${r.channel as 'all'}`) },
    { key: 'proof', title: t('recent.proof'), render: (r) => <ProofText row={r} /> },
  ]
  const filtered = state !== undefined || source !== undefined
  return (
    <>
      <Batches />
      <Panel flush title={t('recent.title')} desc={t('recent.desc')}>
        <FilterBar active={filtered} onClear={clear}>
          <FilterSelect label={t('recent.allStates')} value={state} onChange={(v) => setState(v || undefined)} options={STATES.map((s) => ({ value: s, label: s === 'voided' ? t('recent.voided') : t(`state.${s}`) }))} />
          <FilterSelect label={t('recent.allSources')} value={source} onChange={(v) => setSource(v || undefined)} options={SOURCES.map((s) => ({ value: s, label: t(`source.${s}`) }))} />
        </FilterBar>
        <DataTable label={t('recent.title')} list={list} columns={columns} rowKey={(r) => r.id} filtered={filtered} onClearFilters={clear} empty={<Empty title={t('history.empty')} desc={t('history.emptyDesc')} />} />
      </Panel>
    </>
  )
}

/** Changes of many people, which can be taken back. */
function Batches() {
  const { t } = useTranslation('consent')
  const { lang } = usePrefs()
  const may = useCan('consent.write')
  const mayLook = useCan('contact.unmask')
  const confirm = useConfirm()
  const toast = useToast()
  const client = useQueryClient()
  const name = usePurposeName(useQuery(purposesQuery()).data?.items)
  const list = useCursorList(batchesPage())
  if (list.items.length === 0) return null
  const undo = async (b: ConsentBatch) => {
    const done = await confirm({ title: t('batch.undoTitle'), body: t('batch.undoBody', { count: b.written }), ok: t('batch.undo'), danger: true, run: () => undoBatch(b.id) })
    if (!done) return
    toast.done(t('batch.undoing'))
    await client.invalidateQueries({ queryKey: CONSENT_KEY })
  }
  const columns: Column<ConsentBatch>[] = [
    { key: 'at', title: t('recent.at'), render: (b) => <DateTime at={b.createdAt} /> },
    { key: 'by', title: t('batch.by'), render: (b) => b.by },
    { key: 'what', title: t('recent.state'), render: (b) => `${t(`state.${b.state as 'granted'}`)} · ${name(b.purpose)} · ${t(`channel.${b.channel as 'all'}`)}` },
    { key: 'reason', title: t('change.reason'), clip: true, render: (b) => b.reason },
    {
      key: 'proof',
      title: t('batch.proof'),
      render: (b) =>
        b.proof &&
        (mayLook ? (
          <a href={`/api/consent/changes/${b.id}/proof`} title={t('batch.sha', { sha: b.proof.sha256 })}>
            {formatBytes(b.proof.size, lang)}
          </a>
        ) : (
          formatBytes(b.proof.size, lang)
        )),
    },
    { key: 'n', title: t('batch.people'), align: 'right', render: (b) => <span className="kp-num">{formatInt(b.written, lang)}</span> },
    {
      key: 'do',
      title: '',
      align: 'right',
      render: (b) =>
        b.undoneAt ? (
          <Chip>{t('batch.undone')}</Chip>
        ) : (
          may && (
            <Button size="small" onClick={() => void undo(b)}>
              {t('batch.undo')}
            </Button>
          )
        ),
    },
  ]
  return (
    <Panel flush title={t('batch.title')}>
      <DataTable label={t('batch.title')} list={list} columns={columns} rowKey={(b) => b.id} empty={null} />
    </Panel>
  )
}
