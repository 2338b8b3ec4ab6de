import { useQuery } from '@tanstack/react-query'
import { Clock, FileUp, MessageSquareReply, Plus } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Reply, ReplyAccount } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { useUrlChoice, useUrlText } from '@/shared/lib/url'
import { ConnectAccount } from '@/shared/ui/ConnectAccount'
import { Button, Select, Tabs } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty, QueryState } from '@/shared/ui/states'
import { FileDrawer } from '../components/FileDrawer'
import { HoursDrawer } from '../components/HoursDrawer'
import { MenuEditor } from '../components/MenuEditor'
import { ReplyDrawer } from '../components/ReplyDrawer'
import { ReplyForm } from '../components/ReplyForm'
import { ReplyList } from '../components/ReplyList'
import { accountsQuery } from '../queries'

const TABS = ['rules', 'menu'] as const

/** What is answered at once, and the menu at the bottom of the official account. */
export default function RepliesPage() {
  const { t } = useTranslation('replies')
  const accounts = useQuery(accountsQuery())
  return (
    <Page>
      <QueryState query={accounts}>
        {(list) =>
          list.items.length > 0 ? (
            <View accounts={list.items} />
          ) : (
            <>
              <PageHead title={t('title')} desc={t('desc')} />
              <Panel>
                <Empty icon={<MessageSquareReply size={26} strokeWidth={1.5} aria-hidden />} title={t('noAccount')} desc={t('noAccountDesc')} action={<ConnectAccount />} />
              </Panel>
            </>
          )
        }
      </QueryState>
    </Page>
  )
}

function View({ accounts }: { accounts: readonly ReplyAccount[] }) {
  const { t } = useTranslation('replies')
  const mayWrite = useCan('acquire.write')
  const mayUpload = useCan('import.write')
  const [tab, setTab] = useUrlChoice('tab', TABS, 'rules')
  const [chosen, setAccount] = useUrlText('account')
  const [open, setOpen] = useState<'hours' | 'file' | { form: Reply | undefined } | { view: Reply }>()
  const account = accounts.find((a) => a.id === chosen) ?? accounts[0]
  if (!account) return null
  const close = () => setOpen(undefined)
  const menu = account.kind === 'wechat'
  const rules = <ReplyList account={account.id} onOpen={(view) => setOpen({ view })} onEdit={mayWrite ? (form) => setOpen({ form }) : undefined} onNew={mayWrite ? () => setOpen({ form: undefined }) : undefined} />
  return (
    <>
      <PageHead
        title={t('title')}
        desc={t('desc')}
        extra={
          <>
            {accounts.length > 1 && <Select aria-label={t('account')} value={account.id} onChange={setAccount} options={accounts.map((a) => ({ value: a.id, label: a.name }))} style={{ minWidth: 180 }} />}
            {tab === 'rules' && (
              <Button icon={<Clock size={15} aria-hidden />} onClick={() => setOpen('hours')}>
                {t('hours.title')}
              </Button>
            )}
            {tab === 'rules' && mayWrite && mayUpload && (
              <Button icon={<FileUp size={15} aria-hidden />} onClick={() => setOpen('file')}>
                {t('file.open')}
              </Button>
            )}
            {tab === 'rules' && mayWrite && (
              <Button type="primary" icon={<Plus size={15} aria-hidden />} onClick={() => setOpen({ form: undefined })}>
                {t('form.new')}
              </Button>
            )}
          </>
        }
      />
      {menu ? (
        <Tabs
          activeKey={tab}
          onChange={(key) => setTab(TABS.find((x) => x === key))}
          destroyOnHidden
          items={[
            { key: 'rules', label: t('tab.rules'), children: rules },
            { key: 'menu', label: t('tab.menu'), children: <MenuEditor key={account.id} account={account} /> },
          ]}
        />
      ) : (
        rules
      )}
      {open === 'hours' && <HoursDrawer account={account.id} onClose={close} />}
      {open === 'file' && <FileDrawer account={account.id} onClose={close} />}
      {typeof open === 'object' && 'form' in open && <ReplyForm account={account} reply={open.form} onClose={close} />}
      {typeof open === 'object' && 'view' in open && <ReplyDrawer reply={open.view} onClose={close} onEdit={mayWrite ? () => setOpen({ form: open.view }) : undefined} />}
    </>
  )
}
