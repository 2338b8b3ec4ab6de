import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Download } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useCursorList, wholeList } from '@/shared/api/cursor'
import type { HandedCustomer, HandedGroup, Handover } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { Chip, StatusDot, type Tone } from '@/shared/ui/chips'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { useConfirm, useToast } from '@/shared/ui/feedback'
import { Button } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Empty, QueryState } from '@/shared/ui/states'
import { Count, DateTime, None } from '@/shared/ui/values'
import { handedGroupsQuery, handedPage, handoversQuery, STAFF_KEY, stopHandover } from '../queries'
import css from './staff.module.css'

const STATES = ['new', 'waiting', 'done', 'refused', 'full', 'failed', 'stopped'] as const
const TONES: Record<HandedCustomer['state'] | HandedGroup['state'], Tone> = {
  new: 'neutral',
  waiting: 'info',
  asked: 'info',
  done: 'good',
  refused: 'warn',
  full: 'warn',
  failed: 'bad',
  stopped: 'neutral',
}
/** What a person does about a customer whose hand-over did not come about. */
const ADVISED = ['refused', 'full', 'stopped', 'waiting'] as const
const advised = (state: string): state is (typeof ADVISED)[number] => (ADVISED as readonly string[]).includes(state)

/** The hand-overs of an account and what became of each customer. */
export function Handovers({ account }: { account: string }) {
  return (
    <Panel flush>
      <HandoverTable account={account} />
    </Panel>
  )
}

/** Hand-overs, of one colleague or of all, each with its customers and groups. */
export function HandoverTable({ account, from }: { account: string; from?: string }) {
  const { t } = useTranslation('staff')
  const query = useQuery(handoversQuery(account, from))
  const columns: Column<Handover>[] = [
    { key: 'at', title: t('handover.at'), render: (h) => <DateTime at={h.createdAt} /> },
    {
      key: 'who',
      title: t('handover.who'),
      render: (h) => (
        <span>
          {h.from.name} → {h.to.name} {h.gone && !from && <Chip>{t('state.left')}</Chip>}
        </span>
      ),
    },
    { key: 'total', title: t('handover.total'), align: 'right', render: (h) => <Count value={h.total} /> },
    { key: 'counts', title: t('handover.counts'), render: (h) => <Counts of={h} /> },
    { key: 'by', title: t('handover.by'), render: (h) => h.by || <None /> },
  ]
  return (
    <DataTable
      label={t('tab.handovers')}
      list={wholeList(query)}
      columns={columns}
      rowKey={(h) => h.id}
      expand={(h) => <Inside of={h} />}
      skeletonRows={from ? 2 : 8}
      empty={<Empty title={t('handover.none')} desc={from ? t('handover.noneOf') : t('handover.noneDesc')} />}
    />
  )
}

function Counts({ of: h }: { of: Handover }) {
  const { t } = useTranslation('staff')
  const groups = Object.values(h.groups).reduce((a, b) => a + b, 0)
  return (
    <span className={css.progress}>
      {STATES.map((s) => (h.counts[s] ? <Chip key={s} tone={TONES[s]}>{t(`handed.${s}`, { count: h.counts[s] })}</Chip> : null))}
      {groups > 0 && <Chip tone={(h.groups.failed ?? 0) > 0 ? 'bad' : h.groups.done === groups ? 'good' : 'info'}>{t('handed.groups', { done: h.groups.done ?? 0, total: groups })}</Chip>}
    </span>
  )
}

function Inside({ of: h }: { of: Handover }) {
  const { t } = useTranslation('staff')
  const may = useCan('team.write')
  const exports = useCan('contact.export')
  const client = useQueryClient()
  const toast = useToast()
  const confirm = useConfirm()
  const rest = (h.counts.new ?? 0) + (h.groups.new ?? 0)
  const stop = async () => {
    const done = await confirm({ title: t('stop.title'), body: t('stop.body', { count: rest }), ok: t('stop.ok'), danger: true, run: () => stopHandover(h.id) })
    if (!done) return
    toast.done(t('stop.done'))
    await client.invalidateQueries({ queryKey: STAFF_KEY })
  }
  return (
    <div className="kp-stack">
      <div className="kp-row wrap">
        {h.message && <span className="kp-muted">{t('handover.said', { text: h.message })}</span>}
        <span className="kp-grow" />
        {may && h.state === 'open' && rest > 0 && (
          <Button size="small" danger onClick={() => void stop()}>
            {t('stop.ok')}
          </Button>
        )}
        {exports && h.total > 0 && (
          <Button size="small" icon={<Download size={14} aria-hidden />} href={`/api/handovers/${encodeURIComponent(h.id)}/customers.csv`}>
            {t('handover.export')}
          </Button>
        )}
      </div>
      {h.total > 0 && <Customers id={h.id} />}
      {Object.keys(h.groups).length > 0 && <Groups id={h.id} />}
    </div>
  )
}

function Customers({ id }: { id: string }) {
  const { t } = useTranslation('staff')
  const list = useCursorList(handedPage(id))
  const columns: Column<HandedCustomer>[] = [
    { key: 'name', title: t('friends.name'), render: (c) => (c.contactId ? <Link to={`/contacts/${c.contactId}`}>{c.name || t('friends.unnamed')}</Link> : t('friends.unnamed')) },
    { key: 'state', title: t('column.state'), render: (c) => <StatusDot tone={TONES[c.state]}>{t(`handedState.${c.state}`)}</StatusDot> },
    { key: 'why', title: t('handover.what'), render: (c) => c.words || (advised(c.state) ? t(`advice.${c.state}`) : <None />) },
    { key: 'at', title: t('handover.changed'), render: (c) => <DateTime at={c.at} /> },
  ]
  return <DataTable label={t('handover.customers')} list={list} columns={columns} rowKey={(c) => c.customer} empty={<Empty title={t('friends.none')} />} />
}

function Groups({ id }: { id: string }) {
  const { t } = useTranslation('staff')
  const query = useQuery(handedGroupsQuery(id))
  return (
    <QueryState query={query} height={60}>
      {({ items }) => (
        <ul className={css.groups} aria-label={t('leavers.groupList')}>
          {items.map((g) => (
            <li key={g.id}>
              <span className="kp-clip">{g.name || t('leavers.unnamedGroup')}</span>
              <StatusDot tone={TONES[g.state]}>{t(`handedState.${g.state}`)}</StatusDot>
              {g.words && <small>{g.words}</small>}
            </li>
          ))}
        </ul>
      )}
    </QueryState>
  )
}
