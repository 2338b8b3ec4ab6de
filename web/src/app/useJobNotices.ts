import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { api, unwrap } from '@/shared/api/client'
import type { Job } from '@/shared/api/types'
import { useCan, useMe } from '@/shared/lib/session'

const BUSY_MS = 2000
const IDLE_MS = 15_000

export const isOver = (job: Pick<Job, 'state'>) => job.state !== 'queued' && job.state !== 'running'

/**
 * The jobs that ended between two looks: those not over before, and those so
 * short that they began and ended in between. The first look tells of none.
 */
export function endedSince(before: ReadonlyMap<string, Job['state']> | undefined, now: readonly Job[]): Job[] {
  if (!before) return []
  return now.filter((job) => {
    const was = before.get(job.id)
    return isOver(job) && (was === undefined || !isOver({ state: was }))
  })
}

/** My latest jobs, looked at often while one runs; calls `onEnd` once for each that ends while I watch. */
export function useJobNotices(onEnd: (job: Job) => void) {
  const me = useMe()
  const may = useCan('jobs.read')
  const query = useQuery({
    queryKey: ['jobs', 'notices'],
    queryFn: ({ signal }) => unwrap(api.GET('/api/jobs', { params: { query: { limit: 30 } }, signal })),
    enabled: may,
    refetchInterval: (q) => (q.state.data?.items.some((j) => !isOver(j)) ? BUSY_MS : IDLE_MS),
    staleTime: 0,
  })
  const jobs = query.data?.items
  const states = useRef<ReadonlyMap<string, Job['state']>>(undefined)
  const tell = useRef(onEnd)
  useEffect(() => {
    tell.current = onEnd
  })
  useEffect(() => {
    if (!jobs) return
    const mine = jobs.filter((j) => j.createdBy.id === me.user.id)
    for (const job of endedSince(states.current, mine)) tell.current(job)
    states.current = new Map(mine.map((j) => [j.id, j.state]))
  }, [jobs, me.user.id])
  return { jobs: jobs?.filter((j) => j.createdBy.id === me.user.id) ?? [], query, may }
}
