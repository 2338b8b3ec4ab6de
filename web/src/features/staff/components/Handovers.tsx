import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useCursorList, wholeList } from '@/shared/api/cursor'
import type { HandedCustomer, Handover } from '@/shared/api/types'
import { Chip, StatusDot, type Tone } from '@/shared/ui/chips'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { Count, DateTime, None } from '@/shared/ui/values'
import { handedPage, handoversQuery } from '../queries'
import css from './staff.module.css'

const STATES = ['new', 'waiting', 'done', 'refused', 'full', 'failed'] as const
const TONES: Record<HandedCustomer['state'], Tone> = { new: 'neutral', waiting: 'info', done: 'good', refused: 'warn', full: 'warn', failed: 'bad' }

/** The hand-overs of an account and what became of each customer. */
export function Handovers({ account }: { account: string }) {
  const { t } = useTranslation('staff')
  const query = useQuery(handoversQuery(account))
  const columns: Column<Handover>[] = [
    { key: 'at', title: t('handover.at'), render: (h) => <DateTime at={h.createdAt} /> },
    {
      key: 'who',
      title: t('handover.who'),
      render: (h) => (
        <span>
          {h.from.name} → {h.to.name} {h.gone && <Chip>{t('state.left')}</Chip>}
        </span>
      ),
    },
    { key: 'total', title: t('handover.total'), align: 'right', render: (h) => <Count value={h.total} /> },
    { key: 'counts', title: t('handover.counts'), render: (h) => <Counts of={h} /> },
    { key: 'by', title: t('handover.by'), render: (h) => h.by || <None /> },
  ]
  return (
    <Panel flush>
      <DataTable
        label={t('tab.handovers')}
        list={wholeList(query)}
        columns={columns}
        rowKey={(h) => h.id}
        expand={(h) => <Handed id={h.id} />}
        empty={<Empty title={t('handover.none')} desc={t('handover.noneDesc')} />}
      />
    </Panel>
  )
}

function Counts({ of: h }: { of: Handover }) {
  const { t } = useTranslation('staff')
  return (
    <span className={css.progress}>
      {STATES.map((s) => (h.counts[s] ? <Chip key={s} tone={TONES[s]}>{t(`handed.${s}`, { count: h.counts[s] })}</Chip> : null))}
    </span>
  )
}

function Handed({ id }: { id: string }) {
  const { t } = useTranslation('staff')
  const list = useCursorList(handedPage(id))
  const columns: Column<HandedCustomer>[] = [
    { key: 'name', title: t('friends.name'), render: (c) => (c.contactId ? <Link to={`/contacts/${c.contactId}`}>{c.name || t('friends.unnamed')}</Link> : t('friends.unnamed')) },
    { key: 'state', title: t('column.state'), render: (c) => <StatusDot tone={TONES[c.state]}>{t(`handedState.${c.state}`)}</StatusDot> },
    { key: 'why', title: t('handover.why'), render: (c) => c.words || <None /> },
    { key: 'at', title: t('handover.changed'), render: (c) => <DateTime at={c.at} /> },
  ]
  return <DataTable label={t('handover.customers')} list={list} columns={columns} rowKey={(c) => c.customer} empty={<Empty title={t('friends.none')} />} />
}
