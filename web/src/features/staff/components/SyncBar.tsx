import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { RefreshCw } from 'lucide-react'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import type { StaffAccount } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { useToast } from '@/shared/ui/feedback'
import { JobProgress } from '@/shared/ui/JobProgress'
import { Button } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { TimeAgo } from '@/shared/ui/values'
import { jobQuery, STAFF_KEY, startSync, stopSync } from '../queries'
import css from './staff.module.css'

/** How an account's directory stands, and the button that reads it anew. */
export function SyncBar({ account }: { account: StaffAccount }) {
  const { t } = useTranslation('staff')
  const { lang } = usePrefs()
  const client = useQueryClient()
  const toast = useToast()
  const may = useCan('team.write')
  const seesJobs = useCan('jobs.read')
  const job = useQuery({ ...jobQuery(account.job), enabled: seesJobs && Boolean(account.job) }).data
  const going = job?.state === 'running' || job?.state === 'queued'
  const start = useMutation({
    mutationFn: () => startSync(account.id),
    onSuccess: () => client.invalidateQueries({ queryKey: [...STAFF_KEY, 'accounts'] }),
    onError: (error) => toast.failed(error),
  })
  const stop = useMutation({ mutationFn: (id: string) => stopSync(id), onError: (error) => toast.failed(error) })
  useEffect(() => {
    if (job && !going) void client.invalidateQueries({ queryKey: STAFF_KEY, predicate: (q) => q.queryKey[1] !== 'job' })
  }, [client, going, job])
  return (
    <Panel className={css.sync}>
      <div className="kp-row wrap">
        <span className="kp-num">{t('sync.counts', { members: formatInt(account.members - account.left, lang), left: formatInt(account.left, lang), friends: formatInt(account.friends, lang) })}</span>
        <span className="kp-muted">
          {account.syncedAt ? (
            <>
              {t('sync.at')} <TimeAgo at={account.syncedAt} />
            </>
          ) : (
            t('sync.never')
          )}
        </span>
        <span className="kp-grow" />
        {job && (going || job.state === 'failed') && <JobProgress job={job} />}
        {going && may && (
          <Button loading={stop.isPending} onClick={() => stop.mutate(job.id)}>
            {t('sync.stop')}
          </Button>
        )}
        {may && !going && (
          <Button icon={<RefreshCw size={14} aria-hidden />} loading={start.isPending} onClick={() => start.mutate()}>
            {t('sync.start')}
          </Button>
        )}
      </div>
    </Panel>
  )
}
