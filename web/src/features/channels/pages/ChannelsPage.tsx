import { Plus } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useCan } from '@/shared/lib/session'
import { useUrlChoice } from '@/shared/lib/url'
import { Button, Tabs } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { ChannelDrawer, type Editing } from '../components/ChannelDrawer'
import { CostsTab } from '../components/CostsTab'
import { ReportTab } from '../components/ReportTab'
import { RulesTab } from '../components/RulesTab'
import { TouchSettings } from '../components/TouchSettings'

const TABS = ['report', 'costs', 'rules'] as const

/** Where people come from: what each channel brought and cost, costs day by day, and what counts to which channel. */
export default function ChannelsPage() {
  const { t } = useTranslation('channels')
  const mayEdit = useCan('acquire.write')
  const mayOrders = useCan('order.read')
  const [tab, setTab] = useUrlChoice('tab', TABS, 'report')
  const [editing, setEditing] = useState<Editing>()
  return (
    <Page>
      <PageHead
        title={t('title')}
        desc={t('desc')}
        extra={
          mayEdit && (
            <Button icon={<Plus size={15} aria-hidden />} onClick={() => setEditing({})}>
              {t('channel.new')}
            </Button>
          )
        }
      />
      <Tabs
        activeKey={tab}
        onChange={(key) => setTab(TABS.find((x) => x === key))}
        destroyOnHidden
        items={[
          { key: 'report', label: t('tab.report'), children: <ReportTab onEdit={mayEdit ? (id) => setEditing({ id }) : undefined} onCosts={() => setTab('costs')} /> },
          { key: 'costs', label: t('tab.costs'), children: <CostsTab /> },
          { key: 'rules', label: t('tab.rules'), children: <><RulesTab />{mayOrders && <TouchSettings />}</> },
        ]}
      />
      {editing && <ChannelDrawer editing={editing} onClose={() => setEditing(undefined)} />}
    </Page>
  )
}
