import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { ArrowRightLeft } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useCursorList } from '@/shared/api/cursor'
import type { CorpMember, Friendship } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { Drawer } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Button, Segmented, Select } from '@/shared/ui/kit'
import { Empty } from '@/shared/ui/states'
import { DateTime, None } from '@/shared/ui/values'
import { friendsPage, linkMember, STAFF_KEY, usersQuery } from '../queries'
import { HandoverForm } from './HandoverForm'
import css from './staff.module.css'

/** A colleague with their customers, and what can be done with both. */
export function MemberDrawer({ member, onClose }: { member: CorpMember | undefined; onClose: () => void }) {
  return (
    <Drawer open={member !== undefined} onClose={onClose} title={member?.name ?? ''} width={680}>
      {member && <Inside key={member.id} member={member} />}
    </Drawer>
  )
}

function Inside({ member: m }: { member: CorpMember }) {
  const { t } = useTranslation('staff')
  const may = useCan('team.write')
  const [state, setState] = useState<Friendship['state']>('friend')
  const [chosen, setChosen] = useState<string[]>([])
  const [handing, setHanding] = useState(false)
  const list = useCursorList(friendsPage({ account: m.account, staff: m.id, state }))
  const columns: Column<Friendship>[] = [
    { key: 'name', title: t('friends.name'), render: (f) => <Customer friend={f} /> },
    { key: 'since', title: t('friends.since'), render: (f) => <DateTime at={f.since} dateOnly /> },
    state === 'friend'
      ? { key: 'source', title: t('friends.source'), render: (f) => (f.source ? <code>{f.source}</code> : <None />) }
      : { key: 'ended', title: t('friends.ended'), render: (f) => <DateTime at={f.endedAt} /> },
  ]
  const choosable = may && state === 'friend'
  return (
    <>
      <dl className={css.facts}>
        <dt>{t('column.user')}</dt>
        <dd>
          <LinkUser member={m} />
        </dd>
        {m.leftAt && (
          <>
            <dt>{t('member.left')}</dt>
            <dd>
              <DateTime at={m.leftAt} />
            </dd>
          </>
        )}
      </dl>
      {handing ? (
        <HandoverForm from={m} customers={chosen} count={m.friends} onEnd={() => setHanding(false)} />
      ) : (
        <div className="kp-stack">
          <div className="kp-row wrap">
            <Segmented<Friendship['state']>
              value={state}
              onChange={(s) => {
                setState(s)
                setChosen([])
              }}
              options={(['friend', 'deleted', 'removed', 'moved'] as const).map((s) => ({ value: s, label: t(`friends.${s}`) }))}
            />
            <span className="kp-grow" />
            {choosable && m.friends > 0 && (
              <Button icon={<ArrowRightLeft size={14} aria-hidden />} onClick={() => setHanding(true)}>
                {chosen.length > 0 ? t('hand.some', { count: chosen.length }) : t('hand.all')}
              </Button>
            )}
          </div>
          <DataTable
            label={t('friends.title')}
            list={list}
            columns={columns}
            rowKey={(f) => f.customer}
            selected={choosable ? chosen : undefined}
            onSelect={choosable ? setChosen : undefined}
            empty={<Empty title={t('friends.none')} />}
          />
        </div>
      )}
    </>
  )
}

/** A customer as the contact they are here, and as the colleague calls them. */
export function Customer({ friend: f }: { friend: Friendship }) {
  const { t } = useTranslation('staff')
  const name = f.name || f.remark || t('friends.unnamed')
  return (
    <span>
      {f.contactId ? <Link to={`/contacts/${f.contactId}`}>{name}</Link> : name}
      {f.remark && f.remark !== name && <small className="kp-muted"> {f.remark}</small>}
    </span>
  )
}

function LinkUser({ member: m }: { member: CorpMember }) {
  const { t } = useTranslation('staff')
  const client = useQueryClient()
  const toast = useToast()
  const may = useCan('team.write')
  const users = useQuery({ ...usersQuery(), enabled: may })
  const [now, setNow] = useState(m.user?.id ?? '')
  const link = useMutation({
    mutationFn: (user: string) => linkMember(m.account, m.id, user),
    onSuccess: (c) => {
      setNow(c.user?.id ?? '')
      toast.done(t('member.linked'))
      return client.invalidateQueries({ queryKey: [...STAFF_KEY, 'members'] })
    },
    onError: (error) => toast.failed(error),
  })
  if (!may) return <>{m.user?.name ?? <None />}</>
  return (
    <Select
      allowClear
      showSearch={{ optionFilterProp: 'label' }}
      style={{ minWidth: 220 }}
      aria-label={t('member.link')}
      placeholder={t('member.nobody')}
      loading={users.isLoading || link.isPending}
      value={now || undefined}
      onChange={(user?: string) => link.mutate(user ?? '')}
      options={(users.data?.items ?? []).map((u) => ({ value: u.id, label: u.name }))}
    />
  )
}
