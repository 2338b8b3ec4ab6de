import { useQuery } from '@tanstack/react-query'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { wholeList } from '@/shared/api/cursor'
import type { ConsentPurpose } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { Chip } from '@/shared/ui/chips'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { Button } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { CHANNELS, purposesQuery } from '../queries'
import { useText } from '../words'
import { PurposeDrawer } from './PurposeDrawer'

/** What data is used for, and the wordings that people are shown. */
export function Purposes() {
  const { t } = useTranslation('consent')
  const may = useCan('settings.write')
  const say = useText()
  const query = useQuery(purposesQuery())
  const [open, setOpen] = useState<string>()
  const columns: Column<ConsentPurpose>[] = [
    {
      key: 'name',
      title: t('totals.purpose'),
      render: (p) => (
        <span>
          <b className="kp-strong">{say(p.name)}</b> {p.archived && <Chip>{t('purpose.archived')}</Chip>}
          <br />
          <small className="kp-muted">{say(p.description)}</small>
        </span>
      ),
    },
    { key: 'basis', title: t('purpose.basis'), render: (p) => t(`basis.${p.basis}`) },
    { key: 'default', title: t('purpose.default'), render: (p) => (p.default ? t('purpose.yes') : t('purpose.no')) },
    { key: 'channels', title: t('change.channels'), render: (p) => (p.channels.length ? CHANNELS.filter((c) => p.channels.includes(c)).map((c) => t(`channel.${c}`)).join('、') : t('channel.use')) },
    { key: 'separate', title: t('purpose.separate'), render: (p) => (p.separate ? t('purpose.yes') : '') },
    { key: 'wording', title: t('purpose.current'), align: 'right', render: (p) => <span className="kp-num">v{p.current}</span> },
  ]
  const add = may && (
    <Button type="primary" icon={<Plus size={15} aria-hidden />} onClick={() => setOpen('')}>
      {t('purpose.new')}
    </Button>
  )
  return (
    <Panel flush title={t('purpose.title')} desc={t('purpose.desc')} extra={add}>
      <DataTable label={t('purpose.title')} list={wholeList(query)} columns={columns} rowKey={(p) => p.id} onOpen={(p) => setOpen(p.id)} empty={<Empty title={t('purpose.title')} action={add} />} />
      <PurposeDrawer purpose={query.data?.items.find((p) => p.id === open)} open={open !== undefined} onClose={() => setOpen(undefined)} />
    </Panel>
  )
}
