import { useQuery } from '@tanstack/react-query'
import { Plus, ScanLine } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useCursorList } from '@/shared/api/cursor'
import type { SceneCode } from '@/shared/api/types'
import { useChannelName, useChannelOptions } from '@/shared/lib/channels'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { useUrlChoice, useUrlPatch, useUrlText } from '@/shared/lib/url'
import { ConnectAccount } from '@/shared/ui/ConnectAccount'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { FilterBar, FilterPills, FilterSelect, SearchBox } from '@/shared/ui/FilterBar'
import { Button } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { None, TimeAgo } from '@/shared/ui/values'
import { SceneDrawer } from '../components/SceneDrawer'
import { SceneForm } from '../components/SceneForm'
import css from '../components/scenes.module.css'
import { accountsQuery, codesPage } from '../queries'

const STATES = ['active', 'archived'] as const
const KINDS = ['', 'official', 'mini'] as const

/** The codes of official accounts and mini-programs: where each hangs, and who came by it. */
export default function ScenesPage() {
  const { t } = useTranslation('scenes')
  const { lang } = usePrefs()
  const patch = useUrlPatch()
  const mayWrite = useCan('acquire.write')
  const channels = useChannelOptions()
  const accounts = useQuery(accountsQuery())
  const [q, setQ] = useUrlText('q')
  const [channel, setChannel] = useUrlText('channel')
  const [state, setState] = useUrlChoice('state', STATES, 'active')
  const [kind, setKind] = useUrlChoice('kind', KINDS, '')
  const [open, setOpen] = useUrlText('code')
  const [form, setForm] = useState<{ code?: SceneCode }>()
  const list = useCursorList(codesPage({ q: q || undefined, channel: channel || undefined, kind: kind || undefined, state }, lang))
  const columns = useColumns(list.items.some((c) => c.month !== undefined))
  const connected = (accounts.data?.items ?? []).length > 0
  const filtered = !!(q || channel || kind || state !== 'active')
  const clear = () => patch({ q: '', channel: '', kind: '', state: '' })
  const create = mayWrite && (
    <Button type="primary" icon={<Plus size={15} aria-hidden />} disabled={!connected} onClick={() => setForm({})}>
      {t('form.new')}
    </Button>
  )
  return (
    <Page>
      <PageHead title={t('title')} desc={t('desc')} extra={create} />
      <Panel flush>
        <FilterBar active={filtered} onClear={clear} extra={list.total !== undefined && <span className="kp-muted kp-num">{t('list.total', { total: formatInt(list.total, lang) })}</span>}>
          <SearchBox value={q} onChange={setQ} placeholder={t('list.search')} width={220} />
          <FilterPills label={t('kind.label')} value={kind} onChange={(v) => setKind(KINDS.find((k) => k === v) ?? '')} options={[{ value: 'official', label: t('kind.official') }, { value: 'mini', label: t('kind.mini') }]} />
          <FilterPills label={t('state.label')} value={state === 'active' ? '' : state} onChange={(v) => setState(STATES.find((s) => s === v) ?? 'active')} options={[{ value: 'archived', label: t('state.archived') }]} />
          <FilterSelect label={t('list.channel')} value={channel || undefined} onChange={(id) => setChannel(id ?? '')} options={channels} width={200} />
        </FilterBar>
        <DataTable<SceneCode>
          label={t('title')}
          list={list}
          columns={columns}
          rowKey={(c) => c.id}
          onOpen={(c) => setOpen(c.id)}
          filtered={filtered}
          onClearFilters={clear}
          empty={
            accounts.data && !connected ? (
              <Empty icon={<ScanLine size={26} strokeWidth={1.5} aria-hidden />} title={t('noAccount')} desc={t('noAccountDesc')} action={<ConnectAccount />} />
            ) : (
              <Empty icon={<ScanLine size={26} strokeWidth={1.5} aria-hidden />} title={t('list.empty')} desc={t('list.emptyDesc')} action={create || undefined} />
            )
          }
        />
      </Panel>
      {open && !form && <SceneDrawer id={open} onClose={() => setOpen('')} onEdit={mayWrite ? (code) => setForm({ code }) : undefined} />}
      {form && accounts.data && <SceneForm accounts={accounts.data.items} code={form.code} onClose={() => setForm(undefined)} onMade={setOpen} />}
    </Page>
  )
}

function useColumns(figures: boolean): Column<SceneCode>[] {
  const { t } = useTranslation('scenes')
  const { lang } = usePrefs()
  const channel = useChannelName()
  const number = (key: 'scans' | 'follows' | 'left'): Column<SceneCode> => ({ key, title: t(`col.${key}`), align: 'right', render: (c) => (c.kind === 'mini' && key !== 'scans' ? <None /> : <span className="kp-num">{formatInt(c.month?.[key] ?? 0, lang)}</span>) })
  return [
    {
      key: 'name',
      title: t('col.name'),
      clip: true,
      render: (c) => (
        <span className={css.name}>
          <b>{c.name}</b>
          {c.place && <small className="kp-muted">{c.place}</small>}
        </span>
      ),
    },
    { key: 'kind', title: t('col.kind'), render: (c) => t(`kind.${c.kind}`) },
    { key: 'state', title: t('col.state'), render: (c) => <State code={c} /> },
    { key: 'channel', title: t('col.channel'), render: (c) => (c.channel ? channel(c.channel) : <None />) },
    ...(figures ? (['scans', 'follows', 'left'] as const).map(number) : []),
    { key: 'changed', title: t('col.changed'), render: (c) => <TimeAgo at={c.changedAt} /> },
  ]
}

function State({ code }: { code: SceneCode }) {
  const { t } = useTranslation('scenes')
  if (code.state === 'archived') return <span className="kp-muted">{t('state.archived')}</span>
  if (code.over) return <span className="kp-muted">{t('state.over')}</span>
  if (code.ready) return <span>{t('state.ready')}</span>
  return code.fault ? <span className={css.fault} title={code.message}>{t('state.fault')}</span> : <span className="kp-muted">{t('state.making')}</span>
}
