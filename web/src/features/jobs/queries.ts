import { api, unwrap } from '@/shared/api/client'
import type { Job, JobState } from '@/shared/api/types'

/** One page of jobs, newest first. */
export const jobsPage = (state: JobState | undefined) => (cursor: string | undefined, signal: AbortSignal) =>
  unwrap<{ items: Job[]; next?: string; total?: number }>(api.GET('/api/jobs', { params: { query: { state, cursor } }, signal }))

/** Asks a job to stop. */
export const cancelJob = (id: string) => unwrap<Job>(api.POST('/api/jobs/{id}/cancel', { params: { path: { id } } }))

/** Starts a failed or cancelled job again from its last checkpoint. */
export const retryJob = (id: string) => unwrap<Job>(api.POST('/api/jobs/{id}/retry', { params: { path: { id } } }))
