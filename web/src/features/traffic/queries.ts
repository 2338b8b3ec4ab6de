import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/shared/api/client'
import type { Page } from '@/shared/api/cursor'
import type { TrafficFinding, TrafficSettings } from '@/shared/api/types'

/** Everything of abnormal traffic is under this key; the frame of the console counts what is open under it, too. */
export const TRAFFIC_KEY = ['traffic'] as const

export const STATES = ['open', 'real', 'fake'] as const
export type TrafficState = (typeof STATES)[number]

const at = (id: string) => ({ path: { id } })

export const findingsPage = (state: TrafficState | undefined, lang: string) => ({
  queryKey: [...TRAFFIC_KEY, 'list', state, lang],
  page: (cursor: string | undefined, signal: AbortSignal) => unwrap<Page<TrafficFinding>>(api.GET('/api/traffic', { params: { query: { state, cursor } }, signal })),
})

export const findingQuery = (id: string, lang: string) =>
  queryOptions({ queryKey: [...TRAFFIC_KEY, 'one', id, lang], queryFn: ({ signal }) => unwrap<TrafficFinding>(api.GET('/api/traffic/{id}', { params: at(id), signal })) })

export const suspectsPage = (id: string) => ({
  queryKey: [...TRAFFIC_KEY, 'one', id, 'people'],
  page: (cursor: string | undefined, signal: AbortSignal) => unwrap(api.GET('/api/traffic/{id}/people', { params: { ...at(id), query: { cursor, limit: 20 } }, signal })),
})

export const settingsQuery = () => queryOptions({ queryKey: [...TRAFFIC_KEY, 'settings'], queryFn: ({ signal }) => unwrap<TrafficSettings>(api.GET('/api/traffic/settings', { signal })) })
export const setSettings = (body: TrafficSettings) => unwrap<TrafficSettings>(api.PUT('/api/traffic/settings', { body }))
export const lookQuery = (id: string | undefined) =>
  queryOptions({
    queryKey: [...TRAFFIC_KEY, 'look', id],
    queryFn: ({ signal }) => unwrap(api.GET('/api/jobs/{id}', { params: at(id ?? ''), signal })),
    enabled: id !== undefined,
    refetchInterval: ({ state }) => (state.data && state.data.state !== 'queued' && state.data.state !== 'running' ? false : 500),
  })
export const lookNow = () => unwrap<{ jobId: string }>(api.POST('/api/traffic/look'))
export const judge = (id: string, state: TrafficState, note: string) => unwrap<TrafficFinding>(api.POST('/api/traffic/{id}/judge', { params: at(id), body: { state, note } }))
