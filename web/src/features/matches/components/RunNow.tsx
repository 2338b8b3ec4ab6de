import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Play, Square } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Job } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { JobProgress } from '@/shared/ui/JobProgress'
import { Button } from '@/shared/ui/kit'
import { useToast } from '@/shared/ui/feedback'
import { getJob, MATCHES_KEY, newestJobs, runNow, stopJob } from '../queries'

const KINDS = ['match.run', 'match.merge']
const LOOK_MS = 700

export const isOver = (job: Pick<Job, 'state'>) => job.state !== 'queued' && job.state !== 'running'

/** The job that works on the list, begun here or elsewhere; shows the list anew when it ends. */
export function useWork() {
  const { t } = useTranslation('matches')
  const client = useQueryClient()
  const toast = useToast()
  const [begun, setBegun] = useState<string>()
  const newest = useQuery({ queryKey: ['jobs', 'newest'], queryFn: ({ signal }) => newestJobs(signal), enabled: useCan('jobs.read') })
  const found = newest.data?.items.find((j) => KINDS.includes(j.kind) && !isOver(j))?.id
  const id = begun ?? found
  const job = useQuery({
    queryKey: ['jobs', 'one', id],
    queryFn: ({ signal }) => getJob(id ?? '', signal),
    enabled: id !== undefined,
    staleTime: 0,
    refetchInterval: (q) => (q.state.data && isOver(q.state.data) ? false : LOOK_MS),
  }).data
  const told = useRef<string>(undefined)
  useEffect(() => {
    if (!job || !isOver(job) || told.current === job.id || begun !== job.id) return
    told.current = job.id
    void client.invalidateQueries({ queryKey: MATCHES_KEY })
    if (job.state !== 'succeeded') return
    const result = job.result as { found?: number; compared?: number; merged?: number; refused?: number } | undefined
    if (job.kind === 'match.run') toast.done(t('run.done', { found: result?.found ?? 0, compared: result?.compared ?? 0 }))
    else toast.done(t('bulk.done', { merged: result?.merged ?? 0, refused: result?.refused ?? 0 }))
  }, [begun, client, job, t, toast])
  return { job: job && !isOver(job) ? job : undefined, last: job, begin: (j: Job) => setBegun(j.id) }
}

type Work = ReturnType<typeof useWork>

/** The button that looks for pairs now. */
export function RunNow({ work, primary }: { work: Work; primary?: boolean }) {
  const { t } = useTranslation('matches')
  const toast = useToast()
  const [asked, setAsked] = useState(false)
  const run = async () => {
    setAsked(true)
    try {
      work.begin(await runNow(false))
    } catch (error) {
      toast.failed(error)
    } finally {
      setAsked(false)
    }
  }
  return (
    <Button type={primary ? 'primary' : 'default'} loading={asked} disabled={work.job !== undefined} icon={<Play size={15} aria-hidden />} onClick={() => void run()}>
      {t('run.now')}
    </Button>
  )
}

/** How far the work has come, with a way to stop it. */
export function WorkBar({ work }: { work: Work }) {
  const { t } = useTranslation('matches')
  const toast = useToast()
  const may = useCan('jobs.write')
  const job = work.job ?? (work.last && work.last.state !== 'succeeded' ? work.last : undefined)
  if (!job) return null
  return (
    <div className="kp-row wrap" role="status">
      <b>{job.kind === 'match.run' ? t('run.working') : t('bulk.working')}</b>
      <JobProgress job={job} />
      {may && !isOver(job) && (
        <Button size="small" icon={<Square size={13} aria-hidden />} onClick={() => void stopJob(job.id).catch(toast.failed)}>
          {t('run.stop')}
        </Button>
      )}
    </div>
  )
}
