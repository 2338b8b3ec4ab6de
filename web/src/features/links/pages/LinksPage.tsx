import { FileUp, Plus, Settings } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { ShortLink } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { useUrlChoice } from '@/shared/lib/url'
import { Button, Tabs } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { LinkBatchDrawer } from '../components/LinkBatchDrawer'
import { LinkForm } from '../components/LinkForm'
import { LinkList } from '../components/LinkList'
import { LinkSettingsDialog } from '../components/LinkSettingsDialog'
import { Radar } from '../components/Radar'

const TABS = ['list', 'radar'] as const

/** Short links: where they lead, and who opened them. */
export default function LinksPage() {
  const { t } = useTranslation('links')
  const mayEdit = useCan('acquire.write')
  const mayUpload = useCan('import.write')
  const [tab, setTab] = useUrlChoice('tab', TABS, 'list')
  const [open, setOpen] = useState<'batch' | 'settings' | { link?: ShortLink }>()
  return (
    <Page>
      <PageHead
        title={t('title')}
        desc={t('desc')}
        extra={
          mayEdit && (
            <>
              <Button icon={<Settings size={15} aria-hidden />} aria-label={t('settings.title')} onClick={() => setOpen('settings')} />
              {mayUpload && (
                <Button icon={<FileUp size={15} aria-hidden />} onClick={() => setOpen('batch')}>
                  {t('batch.open')}
                </Button>
              )}
              <Button type="primary" icon={<Plus size={15} aria-hidden />} onClick={() => setOpen({})}>
                {t('form.new')}
              </Button>
            </>
          )
        }
      />
      <Tabs
        activeKey={tab}
        onChange={(key) => setTab(TABS.find((x) => x === key))}
        destroyOnHidden
        items={[
          { key: 'list', label: t('tab.list'), children: <LinkList onEdit={mayEdit ? (link) => setOpen({ link }) : undefined} onNew={mayEdit ? () => setOpen({}) : undefined} /> },
          { key: 'radar', label: t('tab.radar'), children: <Radar /> },
        ]}
      />
      {open === 'batch' && <LinkBatchDrawer onClose={() => setOpen(undefined)} />}
      {open === 'settings' && <LinkSettingsDialog onClose={() => setOpen(undefined)} />}
      {typeof open === 'object' && <LinkForm link={open.link} onClose={() => setOpen(undefined)} />}
    </Page>
  )
}
