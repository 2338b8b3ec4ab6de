import { useQuery } from '@tanstack/react-query'
import { ArrowRightLeft } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { wholeList } from '@/shared/api/cursor'
import type { Leaver } from '@/shared/api/types'
import { useUrlChoice } from '@/shared/lib/url'
import { useCan } from '@/shared/lib/session'
import { Chip } from '@/shared/ui/chips'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { Drawer } from '@/shared/ui/Drawer'
import { Button, Segmented } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { Count, DateTime, NameMark, None } from '@/shared/ui/values'
import { leaversQuery } from '../queries'
import { HandoverForm } from './HandoverForm'
import { HandoverTable } from './Handovers'
import css from './staff.module.css'

/** Who left, how many customers and groups wait for somebody, and the way to give them to others. */
export function Leavers({ account }: { account: string }) {
  const { t } = useTranslation('staff')
  const [all, setAll] = useUrlChoice('left', ['all'] as const)
  const [open, setOpen] = useState<Leaver>()
  const query = useQuery(leaversQuery(account, all === 'all'))
  const columns: Column<Leaver>[] = [
    {
      key: 'name',
      title: t('column.name'),
      fixed: true,
      render: (l) => (
        <span className={css.who}>
          <NameMark name={l.name} size={28} />
          <span>
            {l.name}
            <small>{l.departments.length > 0 ? l.departments.join('、') : l.id}</small>
          </span>
        </span>
      ),
    },
    { key: 'left', title: t('member.left'), render: (l) => (l.leftAt ? <DateTime at={l.leftAt} /> : <None />) },
    { key: 'waiting', title: t('leavers.waiting'), align: 'right', render: (l) => (l.waiting > 0 ? <Chip tone="warn">{l.waiting}</Chip> : <Count value={0} />) },
    { key: 'groups', title: t('leavers.groups'), align: 'right', render: (l) => (l.groups > 0 ? <Chip tone="warn">{l.groups}</Chip> : <Count value={0} />) },
    { key: 'going', title: t('leavers.going'), align: 'right', render: (l) => <Count value={l.going + l.groupsGoing} /> },
  ]
  return (
    <Panel flush title={t('leavers.title')} desc={t('leavers.desc')}>
      <div className={css.bar}>
        <Segmented<string>
          value={all ?? 'waiting'}
          onChange={(v) => setAll(v === 'all' ? 'all' : undefined)}
          options={[
            { value: 'waiting', label: t('leavers.show') },
            { value: 'all', label: t('leavers.all') },
          ]}
        />
      </div>
      <DataTable
        label={t('leavers.title')}
        list={wholeList(query)}
        columns={columns}
        rowKey={(l) => l.id}
        onOpen={setOpen}
        empty={<Empty title={t('leavers.none')} desc={t('leavers.noneDesc')} />}
      />
      <Drawer open={open !== undefined} onClose={() => setOpen(undefined)} title={open ? t('leavers.of', { name: open.name }) : ''} width={760}>
        {open && <Inside key={open.id} leaver={query.data?.items.find((l) => l.id === open.id) ?? open} />}
      </Drawer>
    </Panel>
  )
}

function Inside({ leaver: l }: { leaver: Leaver }) {
  const { t } = useTranslation('staff')
  const may = useCan('team.write')
  const [handing, setHanding] = useState(false)
  const rest = l.waiting + l.groups
  return (
    <div className="kp-stack">
      <dl className={css.facts}>
        <dt>{t('member.left')}</dt>
        <dd>{l.leftAt ? <DateTime at={l.leftAt} /> : <None />}</dd>
        <dt>{t('leavers.waiting')}</dt>
        <dd>
          <Count value={l.waiting} />
        </dd>
        <dt>{t('leavers.groups')}</dt>
        <dd>
          <Count value={l.groups} />
        </dd>
        <dt>{t('leavers.going')}</dt>
        <dd>
          <Count value={l.going + l.groupsGoing} />
        </dd>
      </dl>
      {handing ? (
        <HandoverForm from={l} customers={[]} count={l.waiting} groups={l.groups} onEnd={() => setHanding(false)} />
      ) : (
        may &&
        rest > 0 && (
          <div className="kp-row">
            <Button type="primary" icon={<ArrowRightLeft size={14} aria-hidden />} onClick={() => setHanding(true)}>
              {t('leavers.assign')}
            </Button>
          </div>
        )
      )}
      <h3>{t('leavers.past')}</h3>
      <HandoverTable account={l.account} from={l.id} />
    </div>
  )
}
