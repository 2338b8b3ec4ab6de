import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useUrlChoice, useUrlText } from '@/shared/lib/url'
import { ConnectAccount } from '@/shared/ui/ConnectAccount'
import { Select, Tabs } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty, QueryState } from '@/shared/ui/states'
import type { StaffAccount } from '@/shared/api/types'
import { Handovers } from '../components/Handovers'
import { Leavers } from '../components/Leavers'
import { Lost } from '../components/Lost'
import { Members } from '../components/Members'
import { SyncBar } from '../components/SyncBar'
import { accountsQuery } from '../queries'

const TABS = ['members', 'leavers', 'lost', 'handovers'] as const

/** The colleagues of a WeCom account: who has which customers, who lost some, and who hands theirs over. */
export default function StaffPage() {
  const { t } = useTranslation('staff')
  const accounts = useQuery(accountsQuery())
  const [chosen, choose] = useUrlText('account')
  const items = accounts.data?.items ?? []
  const account = items.find((a) => a.id === chosen) ?? items[0]
  return (
    <Page>
      <PageHead
        title={t('title')}
        desc={t('desc')}
        extra={
          items.length > 1 &&
          account && <Select aria-label={t('account')} value={account.id} onChange={choose} options={items.map((a) => ({ value: a.id, label: a.name }))} popupMatchSelectWidth={false} />
        }
      />
      <QueryState query={accounts} height={320}>
        {() =>
          account ? (
            <OfAccount key={account.id} account={account} />
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

function OfAccount({ account }: { account: StaffAccount }) {
  const { t } = useTranslation('staff')
  const { lang } = usePrefs()
  const [tab, setTab] = useUrlChoice('tab', TABS, 'members')
  return (
    <>
      <SyncBar account={account} />
      <Tabs
        activeKey={tab}
        onChange={(key) => setTab(key as (typeof TABS)[number])}
        destroyOnHidden
        items={[
          { key: 'members', label: t('tab.members'), children: <Members account={account.id} /> },
          { key: 'leavers', label: account.waiting > 0 ? t('tab.leaversWaiting', { waiting: formatInt(account.waiting, lang) }) : t('tab.leavers'), children: <Leavers account={account.id} /> },
          { key: 'lost', label: t('tab.lost'), children: <Lost account={account.id} /> },
          { key: 'handovers', label: t('tab.handovers'), children: <Handovers account={account.id} /> },
        ]}
      />
    </>
  )
}
