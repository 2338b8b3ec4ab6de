import { useTranslation } from 'react-i18next'
import { useUrlChoice } from '@/shared/lib/url'
import { Tabs } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Blocked } from '../components/Blocked'
import { Kinds } from '../components/Kinds'
import { NotJoinedList } from '../components/NotJoinedList'
import { Refused } from '../components/Refused'

const TABS = ['kinds', 'blocked', 'conflicts', 'refused'] as const

/** By what people are recognised, what the company says of it, and what was not joined. */
export default function IdentityPage() {
  const { t } = useTranslation('identity')
  const [tab, setTab] = useUrlChoice('tab', TABS, 'kinds')
  return (
    <Page>
      <PageHead title={t('page.title')} desc={t('page.desc')} />
      <Tabs
        activeKey={tab}
        onChange={(key) => setTab(key as (typeof TABS)[number])}
        destroyOnHidden
        items={[
          { key: 'kinds', label: t('kinds.title'), children: <Kinds /> },
          { key: 'blocked', label: t('blocked.title'), children: <Blocked /> },
          { key: 'conflicts', label: t('conflicts.title'), children: <NotJoinedList /> },
          { key: 'refused', label: t('refused.title'), children: <Refused /> },
        ]}
      />
    </Page>
  )
}
