import { useQuery } from '@tanstack/react-query'
import { MessagesSquare } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { useCursorList } from '@/shared/api/cursor'
import type { CustomerGroup, GroupAccount } from '@/shared/api/types'
import { useUrlChoice, useUrlPatch, useUrlText } from '@/shared/lib/url'
import { ConnectAccount } from '@/shared/ui/ConnectAccount'
import { Chip } from '@/shared/ui/chips'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { FilterBar, FilterSelect, SearchBox } from '@/shared/ui/FilterBar'
import { Select } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty, QueryState } from '@/shared/ui/states'
import { Count, DateTime } from '@/shared/ui/values'
import css from '../components/groups.module.css'
import { SyncBar } from '../components/SyncBar'
import { accountsQuery, groupsPage } from '../queries'

/** The customer groups of a WeCom account. */
export default function GroupsPage() {
  const { t } = useTranslation('groups')
  const accounts = useQuery(accountsQuery())
  const [chosen, choose] = useUrlText('account')
  const items = accounts.data?.items ?? []
  const account = items.find((a) => a.account === chosen) ?? items[0]
  return (
    <Page>
      <PageHead
        title={t('title')}
        desc={t('desc')}
        extra={
          items.length > 1 &&
          account && <Select aria-label={t('account')} value={account.account} onChange={choose} options={items.map((a) => ({ value: a.account, label: a.name }))} popupMatchSelectWidth={false} />
        }
      />
      <QueryState query={accounts} height={320}>
        {() =>
          account ? (
            <Groups key={account.account} account={account} />
          ) : (
            <Panel>
              <Empty title={t('none.title')} desc={t('none.desc')} action={<ConnectAccount />} />
            </Panel>
          )
        }
      </QueryState>
    </Page>
  )
}

const STATES = ['open', 'dismissed'] as const

function Groups({ account }: { account: GroupAccount }) {
  const { t } = useTranslation('groups')
  const go = useNavigate()
  const patch = useUrlPatch()
  const [state, setState] = useUrlChoice('state', STATES)
  const [left, setLeft] = useUrlChoice('owners', ['left'] as const)
  const [text, setText] = useUrlText('q')
  const list = useCursorList(groupsPage({ account: account.account, state, ownerLeft: left === 'left' || undefined, q: text || undefined }))
  const filtered = state !== undefined || left !== undefined || text !== ''
  const clear = () => patch({ state: '', owners: '', q: '' })
  const columns: Column<CustomerGroup>[] = [
    { key: 'name', title: t('column.name'), fixed: true, render: (g) => <Name group={g} /> },
    { key: 'owner', title: t('column.owner'), render: (g) => g.ownerName },
    { key: 'customers', title: t('column.customers'), align: 'right', render: (g) => <Count value={g.customers} /> },
    { key: 'members', title: t('column.members'), align: 'right', render: (g) => <Count value={g.members} /> },
    { key: 'joined', title: t('column.joined'), align: 'right', render: (g) => <Count value={g.joined} /> },
    { key: 'gone', title: t('column.gone'), align: 'right', render: (g) => <Count value={g.gone} /> },
    { key: 'created', title: t('column.created'), render: (g) => <DateTime at={g.createdAt} dateOnly /> },
  ]
  return (
    <>
      <SyncBar account={account} />
      <Panel flush>
        <FilterBar active={filtered} onClear={clear}>
          <SearchBox value={text} onChange={setText} placeholder={t('filter.search')} />
          <FilterSelect label={t('column.state')} value={state} onChange={setState} options={STATES.map((s) => ({ value: s, label: t(`state.${s}`) }))} />
          <FilterSelect label={t('filter.owners')} value={left} onChange={setLeft} options={[{ value: 'left', label: t('filter.left') }]} />
        </FilterBar>
        <DataTable
          label={t('title')}
          list={list}
          columns={columns}
          rowKey={(g) => g.id}
          onOpen={(g) => void go(`/groups/${encodeURIComponent(g.account)}/${encodeURIComponent(g.id)}`)}
          filtered={filtered}
          onClearFilters={clear}
          empty={<Empty title={t('empty.title')} desc={t('empty.desc')} />}
        />
      </Panel>
    </>
  )
}

function Name({ group: g }: { group: CustomerGroup }) {
  const { t } = useTranslation('groups')
  return (
    <span className={css.name}>
      <MessagesSquare size={16} aria-hidden />
      <span>{g.name || t('unnamed')}</span>
      {g.state === 'dismissed' && <Chip>{t('state.dismissed')}</Chip>}
      {g.ownerLeft && <Chip tone="warn">{t('ownerLeft')}</Chip>}
    </span>
  )
}
