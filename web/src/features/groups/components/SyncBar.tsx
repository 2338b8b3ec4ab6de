import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { RefreshCw } from 'lucide-react'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import type { GroupAccount } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { useToast } from '@/shared/ui/feedback'
import { JobProgress } from '@/shared/ui/JobProgress'
import { Button } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { TimeAgo } from '@/shared/ui/values'
import { GROUPS_KEY, jobQuery, startSync } from '../queries'
import css from './groups.module.css'

/** How an account's groups stand, and the button that reads them anew. */
export function SyncBar({ account }: { account: GroupAccount }) {
  const { t } = useTranslation('groups')
  const { lang } = usePrefs()
  const client = useQueryClient()
  const toast = useToast()
  const may = useCan('acquire.write')
  const seesJobs = useCan('jobs.read')
  const job = useQuery({ ...jobQuery(account.job), enabled: seesJobs && Boolean(account.job) }).data
  const going = job?.state === 'running' || job?.state === 'queued'
  const start = useMutation({
    mutationFn: () => startSync(account.account),
    onSuccess: () => client.invalidateQueries({ queryKey: [...GROUPS_KEY, 'accounts'] }),
    onError: (error) => toast.failed(error),
  })
  useEffect(() => {
    if (job && !going) void client.invalidateQueries({ queryKey: GROUPS_KEY, predicate: (q) => q.queryKey[1] !== 'job' })
  }, [client, going, job])
  return (
    <Panel className={css.bar}>
      <div className="kp-row wrap">
        <span className="kp-num">{t('sync.counts', { groups: formatInt(account.groups, lang), customers: formatInt(account.customers, lang) })}</span>
        <span className="kp-num kp-muted">{t('sync.week', { joined: formatInt(account.joined, lang), gone: formatInt(account.gone, lang) })}</span>
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
        {may && !going && (
          <Button icon={<RefreshCw size={14} aria-hidden />} loading={start.isPending} onClick={() => start.mutate()}>
            {t('sync.start')}
          </Button>
        )}
      </div>
    </Panel>
  )
}
