import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { aloneRule, listOf } from '@/features/care/alone'
import { watchQuery } from '@/features/care/queries'
import { api, unwrap } from '@/shared/api/client'
import type { Notification } from '@/shared/api/types'
import { Button } from '@/shared/ui/kit'
import { TimeAgo } from '@/shared/ui/values'

const TOLD = ['notifications'] as const

/** What the server told me, looked at every few seconds: reminders may be that late anyhow. */
export const useTold = () =>
  useQuery({
    queryKey: TOLD,
    queryFn: ({ signal }) => unwrap<{ items: Notification[]; unread: number }>(api.GET('/api/notifications', { params: { query: { limit: 8 } }, signal })),
    refetchInterval: 10_000,
    staleTime: 0,
  })

/** The reminders in the bell. */
export function Told({ items, unread, onGo }: { items: Notification[]; unread: number; onGo: () => void }) {
  const { t } = useTranslation('app')
  const client = useQueryClient()
  const read = useMutation({
    mutationFn: (ids: string[]) => unwrap(api.POST('/api/notifications/read', { body: { ids } })),
    onSettled: () => client.invalidateQueries({ queryKey: TOLD }),
  })
  const watch = useQuery({ ...watchQuery(), enabled: items.some((n) => n.kind === 'owner.stale' || n.kind === 'owner.stale_team') })
  const days = watch.data?.days ?? 30
  if (items.length === 0) return null
  return (
    <>
      <header>
        <b>{t('told.title')}</b>
        {unread > 0 && (
          <Button type="link" size="small" onClick={() => read.mutate([])}>
            {t('told.readAll')}
          </Button>
        )}
      </header>
      <ul>
        {items.map((n) => (
          <li key={n.id}>
            <Link
              to={whereTo(n, days)}
              onClick={() => {
                read.mutate([n.id])
                onGo()
              }}
            >
              {n.read ? <Words n={n} /> : <b><Words n={n} /></b>}
            </Link>
            <TimeAgo at={n.createdAt} />
          </li>
        ))}
      </ul>
    </>
  )
}

/** Where what was told of is to be seen. */
function whereTo(n: Notification, days: number): string {
  switch (n.kind) {
    case 'owner.stale':
      return listOf(aloneRule(days), { owner: 'me' })
    case 'owner.stale_team':
      return listOf(aloneRule(days))
    case 'link.opened':
      return `/links?link=${n.ref ?? ''}`
    case 'traffic.abnormal':
      return '/traffic?state=open'
    case 'owner.left':
      return n.user ? `/contacts?owner=${n.user.id}` : '/contacts'
  }
  return n.contact ? `/contacts/${n.contact.id}?tab=follow-ups` : '/follow-ups'
}

function Words({ n }: { n: Notification }) {
  const { t } = useTranslation('app')
  const name = n.contact?.name ?? t('told.someone')
  const count = n.count ?? 0
  switch (n.kind) {
    case 'owner.stale':
      return t('told.stale', { count })
    case 'owner.stale_team':
      return t('told.staleTeam', { count })
    case 'link.opened':
      return t('told.opened', { name })
    case 'traffic.abnormal':
      return t('told.traffic')
    case 'owner.left':
      return t('told.left', { count, name: n.user?.name ?? t('told.someone') })
  }
  if (n.kind === 'followup.digest') return t('told.digest', { count: n.count ?? 0 })
  return n.kind === 'followup.assigned' ? t('told.assigned', { name }) : t('told.due', { name })
}
