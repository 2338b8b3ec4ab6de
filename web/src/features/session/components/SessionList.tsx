import { useQuery, useQueryClient } from '@tanstack/react-query'
import { LogOut } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { wholeList } from '@/shared/api/cursor'
import type { Session } from '@/shared/api/types'
import { Chip } from '@/shared/ui/chips'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { useConfirm, useToast } from '@/shared/ui/feedback'
import { Button } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { DateTime, TimeAgo } from '@/shared/ui/values'
import { agentName } from '../agent'
import { endOtherSessions, endSession, sessionsQuery } from '../queries'

/** Where this user is signed in, with the way to end each. */
export function SessionList() {
  const { t } = useTranslation('session')
  const client = useQueryClient()
  const toast = useToast()
  const confirm = useConfirm()
  const query = useQuery(sessionsQuery())
  const others = (query.data?.items ?? []).filter((s) => !s.current).length
  const refresh = () => client.invalidateQueries({ queryKey: sessionsQuery().queryKey })

  const endOne = async (s: Session) => {
    try {
      await endSession(s.id)
      toast.done(t('sessions.ended'))
    } catch (error) {
      toast.failed(error)
    }
    await refresh()
  }
  const endAll = () =>
    confirm({ title: t('sessions.endAll'), body: t('sessions.endAllBody', { count: others }), ok: t('sessions.endAll'), danger: true, run: endOtherSessions }).then(
      (done) => (done ? refresh() : undefined),
    )
  const columns: Column<Session>[] = [
    {
      key: 'device',
      title: t('sessions.device'),
      render: (s) => (
        <span className="kp-row" title={s.userAgent}>
          {agentName(s.userAgent) ?? t('sessions.unknown')}
          {s.current && <Chip tone="good">{t('sessions.current')}</Chip>}
        </span>
      ),
    },
    { key: 'ip', title: t('sessions.ip'), render: (s) => <span className="kp-num">{s.ip}</span> },
    { key: 'since', title: t('sessions.since'), render: (s) => <DateTime at={s.createdAt} /> },
    { key: 'seen', title: t('sessions.lastSeen'), render: (s) => <TimeAgo at={s.lastSeenAt} /> },
    {
      key: 'end',
      title: '',
      align: 'right',
      render: (s) =>
        !s.current && (
          <Button size="small" onClick={() => void endOne(s)}>
            {t('sessions.end')}
          </Button>
        ),
    },
  ]
  return (
    <Panel
      flush
      title={t('sessions.title')}
      desc={t('sessions.desc')}
      extra={
        others > 0 && (
          <Button danger icon={<LogOut size={15} aria-hidden />} onClick={() => void endAll()}>
            {t('sessions.endAll')}
          </Button>
        )
      }
    >
      <DataTable<Session>
        label={t('sessions.title')}
        list={wholeList(query)}
        columns={columns}
        rowKey={(s) => s.id}
        empty={<Empty title={t('sessions.empty')} />}
        skeletonRows={2}
      />
    </Panel>
  )
}
