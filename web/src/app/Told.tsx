import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
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
              to={n.contact ? `/contacts/${n.contact.id}?tab=follow-ups` : '/follow-ups'}
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

function Words({ n }: { n: Notification }) {
  const { t } = useTranslation('app')
  const name = n.contact?.name ?? t('told.someone')
  if (n.kind === 'followup.digest') return t('told.digest', { count: n.count ?? 0 })
  return n.kind === 'followup.assigned' ? t('told.assigned', { name }) : t('told.due', { name })
}
