import { useQuery, useQueryClient } from '@tanstack/react-query'
import { FolderCog, Layers, MessageSquareText, Plus, QrCode } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { useCursorList } from '@/shared/api/cursor'
import type { LiveCodeRow } from '@/shared/api/types'
import { useChannelName } from '@/shared/lib/channels'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { useUrlChoice, useUrlText } from '@/shared/lib/url'
import { ConnectAccount } from '@/shared/ui/ConnectAccount'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { FilterBar, FilterSelect, SearchBox } from '@/shared/ui/FilterBar'
import { Button, Segmented } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { Count, None, TimeAgo } from '@/shared/ui/values'
import { CodeState } from '../components/CodeState'
import { FoldersDialog } from '../components/FoldersDialog'
import { GeneralDrawer } from '../components/GeneralDrawer'
import css from '../components/livecodes.module.css'
import { CODES_KEY, codesPage, foldersQuery, optionsQuery } from '../queries'

const STATES = ['active', 'fault', 'expired', 'archived'] as const

/** The live codes: whom each lets people meet, and who came today. */
export default function LiveCodesPage() {
  const { t } = useTranslation('livecodes')
  const { lang } = usePrefs()
  const go = useNavigate()
  const client = useQueryClient()
  const mayWrite = useCan('acquire.write')
  const [q, setQ] = useUrlText('q')
  const [folder, setFolder] = useUrlText('folder')
  const [state, setState] = useUrlChoice('state', STATES, 'active')
  const [panel, setPanel] = useState<'folders' | 'general'>()
  const list = useCursorList<LiveCodeRow>(codesPage({ q: q || undefined, folder: folder || undefined, state }, lang))
  const folders = useQuery(foldersQuery())
  const options = useQuery(optionsQuery())
  const columns = useColumns(folders.data?.items ?? [])
  const connected = options.data === undefined || options.data.accounts.length > 0
  const create = mayWrite && (
    <Button type="primary" icon={<Plus size={15} aria-hidden />} disabled={!connected} onClick={() => void go('/live-codes/new')}>
      {t('list.create')}
    </Button>
  )
  const filtered = q !== '' || folder !== '' || state !== 'active'
  return (
    <Page>
      <PageHead
        title={t('title')}
        desc={t('desc')}
        extra={
          mayWrite && (
            <>
              <Button icon={<MessageSquareText size={15} aria-hidden />} disabled={!connected} onClick={() => setPanel('general')}>
                {t('general.title')}
              </Button>
              <Button icon={<Layers size={15} aria-hidden />} disabled={!connected} onClick={() => void go('/live-codes/batch')}>
                {t('batch.title')}
              </Button>
              {create}
            </>
          )
        }
      />
      <Panel flush>
        <FilterBar extra={list.total !== undefined && <span className="kp-muted kp-num">{t('list.total', { total: formatInt(list.total, lang) })}</span>}>
          <SearchBox value={q} onChange={setQ} placeholder={t('list.search')} width={220} />
          <FilterSelect
            label={t('list.folder')}
            value={folder || undefined}
            onChange={(f) => setFolder(f ?? '')}
            searchable
            options={[...(folders.data?.items ?? []).map((f) => ({ value: f.id, label: `${f.name} (${formatInt(f.codes, lang)})` })), { value: 'none', label: t('list.noFolder') }]}
          />
          {mayWrite && <Button type="text" aria-label={t('folders.title')} icon={<FolderCog size={16} aria-hidden />} onClick={() => setPanel('folders')} />}
          <Segmented aria-label={t('list.state')} value={state} onChange={setState} options={STATES.map((s) => ({ value: s, label: t(`list.${s}`) }))} />
        </FilterBar>
        <DataTable
          label={t('title')}
          list={list}
          columns={columns}
          rowKey={(c) => c.id}
          rowHref={(c) => `/live-codes/${c.id}`}
          columnsKey="live-codes"
          filtered={filtered}
          onClearFilters={() => {
            setQ('')
            setFolder('')
            setState('active')
          }}
          empty={
            connected ? (
              <Empty icon={<QrCode size={26} strokeWidth={1.5} aria-hidden />} title={t('list.empty')} desc={t('list.emptyDesc')} action={create || undefined} />
            ) : (
              <Empty icon={<QrCode size={26} strokeWidth={1.5} aria-hidden />} title={t('list.noAccount')} desc={t('list.noAccountDesc')} action={<ConnectAccount />} />
            )
          }
        />
      </Panel>
      <FoldersDialog open={panel === 'folders'} onClose={() => setPanel(undefined)} onChanged={() => void client.invalidateQueries({ queryKey: CODES_KEY })} />
      {panel === 'general' && options.data && <GeneralDrawer accounts={options.data.accounts} onClose={() => setPanel(undefined)} />}
    </Page>
  )
}

function useColumns(folders: { id: string; name: string }[]): Column<LiveCodeRow>[] {
  const { t } = useTranslation('livecodes')
  const channel = useChannelName()
  return [
    {
      key: 'name',
      title: t('col.name'),
      width: 220,
      clip: true,
      render: (c) => (
        <span className={css.name}>
          {c.name}
          <small>{folders.find((f) => f.id === c.folder)?.name}</small>
        </span>
      ),
    },
    { key: 'state', title: t('col.state'), render: (c) => <CodeState code={c} /> },
    { key: 'duty', title: t('col.duty'), align: 'right', render: (c) => <span className="kp-num">{t('col.dutyOf', { on: c.onDuty, all: c.members })}</span> },
    { key: 'today', title: t('col.today'), align: 'right', render: (c) => <b><Count value={c.today} /></b> },
    { key: 'left', title: t('col.left'), align: 'right', render: (c) => <Count value={c.leftToday} /> },
    { key: 'total', title: t('col.total'), align: 'right', render: (c) => <Count value={c.total} /> },
    { key: 'channel', title: t('col.channel'), render: (c) => (c.channel ? channel(c.channel) : <None />) },
    { key: 'by', title: t('col.by'), optional: true, render: (c) => c.by },
    { key: 'changed', title: t('col.changed'), render: (c) => <TimeAgo at={c.changedAt} /> },
  ]
}
