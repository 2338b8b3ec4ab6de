import { useTranslation } from 'react-i18next'
import { useCursorList } from '@/shared/api/cursor'
import type { Friendship } from '@/shared/api/types'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { DateTime, None } from '@/shared/ui/values'
import { friendsPage } from '../queries'
import { Customer } from './MemberDrawer'

/** Customers who deleted a colleague, the newest first. */
export function Lost({ account }: { account: string }) {
  const { t } = useTranslation('staff')
  const list = useCursorList(friendsPage({ account, state: 'deleted' }))
  const columns: Column<Friendship>[] = [
    { key: 'name', title: t('friends.name'), render: (f) => <Customer friend={f} /> },
    { key: 'staff', title: t('lost.staff'), render: (f) => f.staffName },
    { key: 'ended', title: t('lost.at'), render: (f) => <DateTime at={f.endedAt} /> },
    { key: 'since', title: t('friends.since'), render: (f) => <DateTime at={f.since} dateOnly /> },
    { key: 'source', title: t('friends.source'), render: (f) => (f.source ? <code>{f.source}</code> : <None />) },
  ]
  return (
    <Panel flush desc={t('lost.desc')} title={t('tab.lost')}>
      <DataTable label={t('tab.lost')} list={list} columns={columns} rowKey={(f) => `${f.staff} ${f.customer}`} empty={<Empty title={t('lost.none')} desc={t('lost.noneDesc')} />} />
    </Panel>
  )
}
