import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useCursorList } from '@/shared/api/cursor'
import type { NotJoined } from '@/shared/api/types'
import { codeText } from '@/shared/i18n/code'
import { useCan } from '@/shared/lib/session'
import { useUrlChoice } from '@/shared/lib/url'
import { Chip } from '@/shared/ui/chips'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { useConfirm, useToast } from '@/shared/ui/feedback'
import { FilterBar, FilterPills } from '@/shared/ui/FilterBar'
import { Button } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { DateTime, None } from '@/shared/ui/values'
import { IDENTITY_KEY, keepApart, notJoinedPage } from '../queries'
import { MergeDialog } from './MergeDialog'

const REASONS: readonly NotJoined['reason'][] = ['other_person', 'limit', 'shared_device', 'kept_apart']
type Pair = NotJoined & { contact: { id: string; name: string }; holder: { id: string; name: string } }
const isPair = (n: NotJoined): n is Pair => n.contact !== undefined && n.holder !== undefined

/** Identities that did not go where a fact said, so that two people were not made one. */
export function NotJoinedList() {
  const { t } = useTranslation('identity')
  const may = useCan('contact.write')
  const client = useQueryClient()
  const toast = useToast()
  const confirm = useConfirm()
  const [reason, setReason] = useUrlChoice('reason', REASONS)
  const list = useCursorList(notJoinedPage({ reason }))
  const [merging, setMerging] = useState<Pair>()
  const apart = (n: Pair) =>
    confirm({
      title: t('conflicts.apartTitle', { a: n.contact.name || t('story.noName'), b: n.holder.name || t('story.noName') }),
      body: t('conflicts.apartBody'),
      ok: t('conflicts.apart'),
      run: async () => {
        await keepApart(n.contact.id, { other: n.holder.id })
        await client.invalidateQueries({ queryKey: IDENTITY_KEY })
        toast.done(t('conflicts.apartDone'))
      },
    })
  const columns: Column<NotJoined>[] = [
    { key: 'at', title: t('conflicts.last'), render: (n) => <DateTime at={n.lastAt} /> },
    {
      key: 'value',
      title: t('conflicts.identity'),
      render: (n) => (
        <span>
          {codeText('contacts', 'identity', n.kind)} {n.value && <b className="kp-strong kp-num">{n.value}</b>}
        </span>
      ),
    },
    { key: 'why', title: t('conflicts.why'), render: (n) => t(`reason.${n.reason}`) },
    { key: 'contact', title: t('conflicts.contact'), render: (n) => <Who who={n.contact} /> },
    { key: 'holder', title: t('conflicts.holder'), render: (n) => <Who who={n.holder} /> },
    { key: 'count', title: t('conflicts.count'), align: 'right', render: (n) => <span className="kp-num">{n.count}</span> },
    {
      key: 'do',
      title: t('conflicts.state'),
      render: (n) => {
        if (n.state !== 'open') return <Chip tone={n.state === 'joined' ? 'good' : 'neutral'}>{t(`state.${n.state}`)}</Chip>
        if (!may || !isPair(n)) return <None />
        return (
          <span className="kp-row">
            <Button size="small" onClick={() => setMerging(n)}>
              {t('conflicts.merge')}
            </Button>
            <Button size="small" onClick={() => void apart(n)}>
              {t('conflicts.apart')}
            </Button>
          </span>
        )
      },
    },
  ]
  return (
    <Panel flush title={t('conflicts.title')} desc={t('conflicts.desc')}>
      <FilterBar active={reason !== undefined} onClear={() => setReason(undefined)}>
        <FilterPills label={t('conflicts.why')} value={reason} onChange={setReason} options={REASONS.map((r) => ({ value: r, label: t(`reasonShort.${r}`) }))} />
      </FilterBar>
      <DataTable
        label={t('conflicts.title')}
        list={list}
        columns={columns}
        rowKey={(n) => [n.kind, n.value, n.contact?.id, n.holder?.id, n.firstAt].join(' ')}
        filtered={reason !== undefined}
        onClearFilters={() => setReason(undefined)}
        empty={<Empty title={t('conflicts.empty')} desc={t('conflicts.emptyDesc')} />}
      />
      {merging && <MergeDialog contact={merging.contact} with={merging.holder} onClose={() => setMerging(undefined)} />}
    </Panel>
  )
}

function Who({ who }: { who: { id: string; name: string } | undefined }) {
  const { t } = useTranslation('identity')
  return who ? <Link to={`/contacts/${who.id}`}>{who.name || t('story.noName')}</Link> : <None />
}
