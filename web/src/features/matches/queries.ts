import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/shared/api/client'
import type { Job, Match, MatchSettings } from '@/shared/api/types'

/** Everything about possible duplicates is under this key. */
export const MATCHES_KEY = ['matches'] as const

const at = (id: string) => ({ path: { id } })

/** What the list is narrowed to. */
export interface MatchQuery {
  state?: Match['state']
  minScore?: number
  contact?: string
  limit?: number
}

/** One page of pairs, the likeliest first. */
export const matchesPage = (query: MatchQuery) => ({
  queryKey: [...MATCHES_KEY, 'list', query],
  page: (cursor: string | undefined, signal: AbortSignal) => unwrap(api.GET('/api/matches', { params: { query: { ...query, cursor } }, signal })),
})

/** Counts by state, the last run, and what reviews say of the scores. */
export const summaryQuery = () =>
  queryOptions({
    queryKey: [...MATCHES_KEY, 'summary'],
    queryFn: ({ signal }) => unwrap(api.GET('/api/matches/summary', { signal })),
  })

export const settingsQuery = (enabled: boolean) =>
  queryOptions({
    queryKey: [...MATCHES_KEY, 'settings'],
    queryFn: ({ signal }) => unwrap(api.GET('/api/matches/settings', { signal })),
    enabled,
  })

/** How many open pairs have a score or more: before all of them are merged. */
export const countFrom = async (minScore: number) => (await unwrap(api.GET('/api/matches', { params: { query: { minScore, limit: 1 } } }))).total

/** The newest jobs, for a run that goes on since before the page was opened. */
export const newestJobs = (signal: AbortSignal) => unwrap(api.GET('/api/jobs', { params: { query: { limit: 30 } }, signal }))
export const getJob = (id: string, signal: AbortSignal) => unwrap<Job>(api.GET('/api/jobs/{id}', { params: at(id), signal }))
export const stopJob = (id: string) => unwrap<Job>(api.POST('/api/jobs/{id}/cancel', { params: at(id) }))

export const saveSettings = (body: MatchSettings) => unwrap<MatchSettings>(api.PUT('/api/matches/settings', { body }))
export const runNow = (full: boolean) => unwrap<Job>(api.POST('/api/matches/run', { body: { full } }))
export const mergeAll = (minScore: number, expected: number) => unwrap<Job>(api.POST('/api/matches/merge', { body: { minScore, expected } }))
export const mergePair = (id: string) => unwrap(api.POST('/api/matches/{id}/merge', { params: at(id) }))
export const rejectPair = (id: string) => unwrap(api.POST('/api/matches/{id}/reject', { params: at(id) }))
export const postponePair = (id: string, until: string) => unwrap(api.POST('/api/matches/{id}/postpone', { params: at(id), body: { until } }))
export const resumePair = (id: string) => unwrap(api.POST('/api/matches/{id}/resume', { params: at(id) }))
