import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { wholeList } from '@/shared/api/cursor'
import type { Department } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { useConfirm } from '@/shared/ui/feedback'
import { Button } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { Count } from '@/shared/ui/values'
import { deleteDepartment, departmentsQuery, usersQuery } from '../queries'
import { depths } from '../tree'
import { DepartmentDrawer } from './DepartmentDrawer'

/** The parts of the company, as a tree: roles whose view is a department's follow it. */
export function Departments() {
  const { t } = useTranslation('team')
  const may = useCan('team.write')
  const client = useQueryClient()
  const confirm = useConfirm()
  const query = useQuery(departmentsQuery())
  const users = useQuery(usersQuery())
  const [open, setOpen] = useState<Department | 'new'>()
  const all = query.data?.items ?? []
  const depth = depths(all)
  const named = new Map((users.data?.items ?? []).map((u) => [u.id, u.name]))
  const refresh = () => client.invalidateQueries({ queryKey: ['team'] })
  const remove = (d: Department) =>
    confirm({ title: t('department.removeTitle', { name: d.name }), body: t('department.removeBody'), ok: t('role.remove'), danger: true, run: () => deleteDepartment(d.id) }).then((done) =>
      done ? refresh() : undefined,
    )
  const columns: Column<Department>[] = [
    {
      key: 'name',
      title: t('department.name'),
      render: (d) => (
        <b className="kp-strong" style={{ paddingInlineStart: (depth.get(d.id) ?? 0) * 22 }}>
          {d.name}
        </b>
      ),
    },
    { key: 'lead', title: t('department.lead'), render: (d) => named.get(d.lead) ?? <span className="kp-muted">{t('department.noLead')}</span> },
    { key: 'members', title: t('role.users'), align: 'right', render: (d) => <Count value={d.members.length} /> },
    {
      key: 'do',
      title: '',
      align: 'right',
      render: (d) =>
        may && (
          <Button size="small" danger onClick={() => void remove(d)}>
            {t('role.remove')}
          </Button>
        ),
    },
  ]
  return (
    <Panel
      flush
      title={t('tab.departments')}
      desc={t('department.desc')}
      extra={
        may && (
          <Button icon={<Plus size={15} aria-hidden />} onClick={() => setOpen('new')}>
            {t('department.new')}
          </Button>
        )
      }
    >
      <DataTable label={t('tab.departments')} list={wholeList(query)} columns={columns} rowKey={(d) => d.id} onOpen={may ? setOpen : undefined} empty={<Empty title={t('department.none')} desc={t('department.noneDesc')} />} />
      <DepartmentDrawer department={open} all={all} users={users.data?.items ?? []} onClose={() => setOpen(undefined)} onSaved={refresh} />
    </Panel>
  )
}
