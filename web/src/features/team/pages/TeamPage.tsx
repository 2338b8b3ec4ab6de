import { useTranslation } from 'react-i18next'
import { useUrlChoice } from '@/shared/lib/url'
import { Tabs } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Departments } from '../components/Departments'
import { Members } from '../components/Members'
import { Roles } from '../components/Roles'

const TABS = ['members', 'departments', 'roles'] as const

/** Who may sign in, and what each role may do. */
export default function TeamPage() {
  const { t } = useTranslation('team')
  const [tab, setTab] = useUrlChoice('tab', TABS, 'members')
  return (
    <Page>
      <PageHead title={t('title')} desc={t('desc')} />
      <Tabs
        activeKey={tab}
        onChange={(k) => setTab(TABS.find((x) => x === k))}
        items={[
          { key: 'members', label: t('tab.members'), children: <Members /> },
          { key: 'departments', label: t('tab.departments'), children: <Departments /> },
          { key: 'roles', label: t('tab.roles'), children: <Roles /> },
        ]}
      />
    </Page>
  )
}
