import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { wholeList } from '@/shared/api/cursor'
import type { Permission, Role } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { Chip, StatusDot } from '@/shared/ui/chips'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { useConfirm } from '@/shared/ui/feedback'
import { Button } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { Count } from '@/shared/ui/values'
import { deleteRole, rolesQuery } from '../queries'
import { RoleDrawer } from './RoleDrawer'

/** What each role may do; own roles can be made. */
export function Roles() {
  const { t } = useTranslation('team')
  const may = useCan('team.write')
  const client = useQueryClient()
  const confirm = useConfirm()
  const query = useQuery(rolesQuery())
  const [open, setOpen] = useState<Role | 'new'>()
  const all: Permission[] = query.data?.permissions ?? []
  const refresh = () => client.invalidateQueries({ queryKey: ['team'] })
  const remove = (r: Role) =>
    confirm({ title: t('role.removeTitle', { name: r.name }), body: t('role.removeBody'), ok: t('role.remove'), danger: true, run: () => deleteRole(r.id) }).then((done) =>
      done ? refresh() : undefined,
    )
  const columns: Column<Role>[] = [
    { key: 'name', title: t('role.name'), render: (r) => <span className="kp-row"><b className="kp-strong">{r.name}</b>{r.builtin && <Chip>{t('role.builtin')}</Chip>}</span> },
    { key: 'users', title: t('role.users'), align: 'right', render: (r) => <Count value={r.users} /> },
    { key: 'scope', title: t('scope.label'), render: (r) => t(`scope.${r.scope}`) },
    {
      key: 'clear',
      title: t('role.personal'),
      render: (r) => (r.permissions.includes('contact.unmask') ? <StatusDot tone="warn">{t('role.clear')}</StatusDot> : <StatusDot tone="good">{t('role.masked')}</StatusDot>),
    },
    { key: 'may', title: t('role.permissions'), render: (r) => t('role.some', { count: r.permissions.length, all: all.length }) },
    {
      key: 'do',
      title: '',
      align: 'right',
      render: (r) =>
        may && !r.builtin && (
          <Button size="small" danger onClick={() => void remove(r)}>
            {t('role.remove')}
          </Button>
        ),
    },
  ]
  return (
    <Panel
      flush
      title={t('tab.roles')}
      desc={t('role.desc')}
      extra={
        may && (
          <Button icon={<Plus size={15} aria-hidden />} onClick={() => setOpen('new')}>
            {t('role.new')}
          </Button>
        )
      }
    >
      <DataTable label={t('tab.roles')} list={wholeList(query)} columns={columns} rowKey={(r) => r.id} onOpen={setOpen} empty={<Empty title={t('empty')} />} />
      <RoleDrawer role={open} all={all} onClose={() => setOpen(undefined)} onSaved={refresh} />
    </Panel>
  )
}
