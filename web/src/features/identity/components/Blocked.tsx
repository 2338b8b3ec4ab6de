import { useQueryClient } from '@tanstack/react-query'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useCursorList } from '@/shared/api/cursor'
import type { BlockedValue, ContactRow } from '@/shared/api/types'
import { codeText } from '@/shared/i18n/code'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useUrlText } from '@/shared/lib/url'
import { Chip } from '@/shared/ui/chips'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { Drawer } from '@/shared/ui/Drawer'
import { useConfirm, useToast } from '@/shared/ui/feedback'
import { FilterBar, SearchBox } from '@/shared/ui/FilterBar'
import { Button } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { DateTime, None } from '@/shared/ui/values'
import { blockedPage, carriersPage, IDENTITY_KEY, unblockValue } from '../queries'
import { BlockDialog } from './BlockDialog'

/** Values that identify nobody because the company says so. */
export function Blocked() {
  const { t } = useTranslation('identity')
  const { lang } = usePrefs()
  const client = useQueryClient()
  const toast = useToast()
  const confirm = useConfirm()
  const [q, setQ] = useUrlText('q')
  const list = useCursorList({ ...blockedPage({ q: q || undefined }), refetchInterval: 5000 })
  const [adding, setAdding] = useState(false)
  const [showing, setShowing] = useState<BlockedValue>()
  const remove = (b: BlockedValue) =>
    confirm({
      title: t('blocked.removeTitle', { what: b.value }),
      body: t('blocked.removeBody'),
      ok: t('blocked.remove'),
      run: async () => {
        await unblockValue(b.id)
        await client.invalidateQueries({ queryKey: IDENTITY_KEY })
        toast.done(t('blocked.removed'))
      },
    })
  const columns: Column<BlockedValue>[] = [
    { key: 'value', title: t('blocked.value'), render: (b) => <b className="kp-strong kp-num">{b.domain ? `@${b.value}` : b.value}</b> },
    { key: 'kind', title: t('kinds.kind'), render: (b) => (b.domain ? t('blocked.domain') : codeText('contacts', 'identity', b.kind)) },
    { key: 'note', title: t('blocked.note'), clip: true, render: (b) => b.note ?? '' },
    {
      key: 'stopped',
      title: t('blocked.stopped'),
      align: 'right',
      render: (b) => (b.stopped > 0 ? <span className="kp-num">{t('blocked.times', { count: b.stopped })}</span> : <None />),
    },
    {
      key: 'carriers',
      title: t('blocked.carriers'),
      align: 'right',
      render: (b) =>
        b.searching ? (
          <Chip>{t('blocked.searching')}</Chip>
        ) : b.carriers > 0 ? (
          <Button size="small" type="link" onClick={() => setShowing(b)}>
            {t('kinds.people', { count: b.carriers })}
          </Button>
        ) : (
          <None />
        ),
    },
    { key: 'by', title: t('blocked.by'), render: (b) => b.by ?? '' },
    { key: 'at', title: t('blocked.at'), render: (b) => <DateTime at={b.createdAt} /> },
    {
      key: 'do',
      title: '',
      align: 'right',
      render: (b) => (
        <Button size="small" danger aria-label={t('blocked.removeTitle', { what: b.value })} onClick={() => void remove(b)}>
          {t('blocked.remove')}
        </Button>
      ),
    },
  ]
  const add = (
    <Button type="primary" icon={<Plus size={15} aria-hidden />} onClick={() => setAdding(true)}>
      {t('block.open')}
    </Button>
  )
  return (
    <Panel flush title={t('blocked.title')} desc={t('blocked.desc')} extra={add}>
      <FilterBar active={q !== ''} onClear={() => setQ('')} extra={list.total !== undefined && <span className="kp-muted kp-num">{t('blocked.total', { total: formatInt(list.total, lang) })}</span>}>
        <SearchBox value={q} onChange={setQ} placeholder={t('blocked.search')} />
      </FilterBar>
      <DataTable label={t('blocked.title')} list={list} columns={columns} rowKey={(b) => b.id} filtered={q !== ''} onClearFilters={() => setQ('')} empty={<Empty title={t('blocked.empty')} desc={t('blocked.emptyDesc')} action={add} />} />
      {adding && <BlockDialog onClose={() => setAdding(false)} />}
      {showing && <Carriers blocked={showing} onClose={() => setShowing(undefined)} />}
    </Panel>
  )
}

/** Who carried a value before it was blocked. They keep it: nothing is changed behind anybody's back. */
function Carriers({ blocked, onClose }: { blocked: BlockedValue; onClose: () => void }) {
  const { t } = useTranslation('identity')
  const list = useCursorList(carriersPage(blocked.id))
  const columns: Column<ContactRow>[] = [
    { key: 'name', title: t('carriers.name'), render: (c) => c.name || t(c.kind === 'visitor' ? 'story.aVisitor' : 'story.noName') },
    { key: 'phone', title: t('carriers.reach'), render: (c) => [c.phone, c.email].filter(Boolean).join(' · ') || <None /> },
    { key: 'at', title: t('carriers.since'), render: (c) => <DateTime at={c.createdAt} dateOnly /> },
  ]
  return (
    <Drawer open onClose={onClose} title={t('carriers.title', { what: blocked.value })}>
      <p className="kp-muted">{t('carriers.lead')}</p>
      <DataTable label={t('carriers.title', { what: blocked.value })} list={list} columns={columns} rowKey={(c) => c.id} rowHref={(c) => `/contacts/${c.id}`} empty={<Empty title={t('carriers.none')} />} />
    </Drawer>
  )
}
