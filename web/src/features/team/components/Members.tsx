import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Ellipsis, UserPlus } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { wholeList } from '@/shared/api/cursor'
import type { User } from '@/shared/api/types'
import { useCan, useMe } from '@/shared/lib/session'
import { Chip, StatusDot } from '@/shared/ui/chips'
import { SecretOnce } from '@/shared/ui/copy'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { Dialog } from '@/shared/ui/Drawer'
import { useConfirm, useToast } from '@/shared/ui/feedback'
import { Button, Dropdown, Select } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { DateTime, Person, TimeAgo } from '@/shared/ui/values'
import { endSessions, resetPassword, rolesQuery, updateUser, usersQuery } from '../queries'
import { HandOver } from './HandOver'
import { NewMember } from './NewMember'

/** The members of the team, with their roles. */
export function Members() {
  const { t } = useTranslation('team')
  const me = useMe()
  const may = useCan('team.write')
  const client = useQueryClient()
  const toast = useToast()
  const confirm = useConfirm()
  const query = useQuery(usersQuery())
  const roles = useQuery(rolesQuery())
  const [adding, setAdding] = useState(false)
  const [leaving, setLeaving] = useState<User>()
  const mayGive = useCan('contact.write')
  const [password, setPassword] = useState<{ name: string; secret: string }>()
  const options = (roles.data?.items ?? []).map((r) => ({ value: r.id, label: r.name }))
  const refresh = () => client.invalidateQueries({ queryKey: ['team'] })

  const change = async (u: User, body: Parameters<typeof updateUser>[1], done: string) => {
    try {
      await updateUser(u.id, body)
      toast.done(done)
    } catch (error) {
      toast.failed(error)
    }
    await refresh()
  }
  const disable = (u: User) =>
    confirm({ title: t('disable.title', { name: u.name }), body: t('disable.body'), ok: t('disable.ok'), danger: true, run: () => updateUser(u.id, { state: 'disabled' }) }).then(
      (done) => {
        if (done && mayGive) setLeaving(u) // who leaves leaves customers behind
        return done ? refresh() : undefined
      },
    )
  const reset = (u: User) =>
    confirm({
      title: t('reset.title', { name: u.name }),
      body: t('reset.body'),
      ok: t('reset.ok'),
      run: async () => setPassword({ name: u.name, secret: (await resetPassword(u.id)).password }),
    })
  const signOut = async (u: User) => {
    try {
      await endSessions(u.id)
      toast.done(t('signedOut', { name: u.name }))
    } catch (error) {
      toast.failed(error)
    }
  }
  const menu = (u: User) => ({
    items: [
      { key: 'reset', label: t('reset.ok'), onClick: () => void reset(u) },
      { key: 'out', label: t('signOut'), onClick: () => void signOut(u) },
      ...(mayGive ? [{ key: 'hand', label: t('handOver.do'), onClick: () => setLeaving(u) }] : []),
      u.state === 'active'
        ? { key: 'off', label: t('disable.ok'), danger: true, onClick: () => void disable(u) }
        : { key: 'on', label: t('enable'), onClick: () => void change(u, { state: 'active' }, t('enabled', { name: u.name })) },
    ],
  })
  const columns: Column<User>[] = [
    { key: 'name', title: t('column.name'), render: (u) => <span className="kp-row"><Person name={u.name} sub={u.email} />{u.id === me.user.id && <Chip>{t('you')}</Chip>}</span> },
    {
      key: 'role',
      title: t('column.role'),
      render: (u) =>
        may && u.id !== me.user.id ? (
          <Select size="small" style={{ minWidth: 130 }} aria-label={t('column.role')} value={u.role} options={options} onChange={(role: string) => void change(u, { role }, t('roleChanged', { name: u.name }))} />
        ) : (
          u.roleName
        ),
    },
    { key: 'state', title: t('column.state'), render: (u) => <StatusDot tone={u.state === 'active' ? 'good' : 'neutral'}>{t(`state.${u.state}`)}</StatusDot> },
    { key: 'seen', title: t('column.seen'), render: (u) => (u.lastSeenAt ? <TimeAgo at={u.lastSeenAt} /> : <span className="kp-muted">{t('neverSeen')}</span>) },
    { key: 'since', title: t('column.since'), render: (u) => <DateTime at={u.createdAt} dateOnly /> },
    {
      key: 'do',
      title: '',
      align: 'right',
      render: (u) =>
        may && u.id !== me.user.id && (
          <Dropdown menu={menu(u)} trigger={['click']}>
            <Button type="text" size="small" aria-label={t('more', { name: u.name })} icon={<Ellipsis size={16} aria-hidden />} />
          </Dropdown>
        ),
    },
  ]
  return (
    <Panel
      flush
      title={t('tab.members')}
      extra={
        may && (
          <Button type="primary" icon={<UserPlus size={15} aria-hidden />} onClick={() => setAdding(true)}>
            {t('add.title')}
          </Button>
        )
      }
    >
      <DataTable label={t('tab.members')} list={wholeList(query)} columns={columns} rowKey={(u) => u.id} empty={<Empty title={t('empty')} />} />
      <NewMember open={adding} onClose={() => setAdding(false)} roles={options} onMade={refresh} />
      <HandOver user={leaving} staff={query.data?.items ?? []} onClose={() => setLeaving(undefined)} />
      <Dialog open={password !== undefined} onClose={() => setPassword(undefined)} title={t('reset.made', { name: password?.name ?? '' })} width={560}>
        {password && <SecretOnce secret={password.secret} label={t('password')} />}
      </Dialog>
    </Panel>
  )
}
