import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/shared/api/client'
import type { Job, TagLink, TagLinkInput, TagLinkPreview, TagMirror, TagMirrorChange, TagMirrorFailure } from '@/shared/api/types'

/** Everything about linked tags is under this key. */
export const MIRROR_KEY = ['tags', 'mirror'] as const

const at = (account: string) => ({ path: { account } })

/** How each account's tags agree with ours; looked at often while something waits. */
export const mirrorsQuery = () =>
  queryOptions({
    queryKey: [...MIRROR_KEY, 'accounts'],
    queryFn: ({ signal }) => unwrap<{ items: TagMirror[] }>(api.GET('/api/tag-mirrors', { signal })),
    refetchInterval: (query) => (query.state.data?.items.some((m) => m.on && m.waiting > 0) ? 2000 : 30_000),
  })

/** The tags that both sides have. */
export const linksQuery = (account: string) =>
  queryOptions({
    queryKey: [...MIRROR_KEY, 'links', account],
    queryFn: ({ signal }) => unwrap<{ items: TagLink[] }>(api.GET('/api/tag-mirrors/{account}/links', { params: at(account), signal })),
  })

/** What linking would do with each tag. */
export const previewQuery = (account: string) =>
  queryOptions({
    queryKey: [...MIRROR_KEY, 'preview', account],
    queryFn: ({ signal }) => unwrap<TagLinkPreview>(api.GET('/api/tag-mirrors/{account}/preview', { params: at(account), signal })),
    staleTime: 0,
  })

/** One page of friendships whose tags could not be sent. */
export const failuresPage = (account: string) => ({
  queryKey: [...MIRROR_KEY, 'failed', account],
  page: (cursor: string | undefined, signal: AbortSignal) =>
    unwrap<{ items: TagMirrorFailure[]; next?: string }>(api.GET('/api/tag-mirrors/{account}/failed', { params: { ...at(account), query: { cursor } }, signal })),
})

/** A job, looked at while it goes on. */
export const mirrorJobQuery = (id: string | undefined) =>
  queryOptions({
    queryKey: [...MIRROR_KEY, 'job', id],
    queryFn: ({ signal }) => unwrap<Job>(api.GET('/api/jobs/{id}', { params: { path: { id: id ?? '' } }, signal })),
    refetchInterval: (query) => (query.state.data && query.state.data.state !== 'running' && query.state.data.state !== 'queued' ? false : 1500),
  })

export const changeMirror = (account: string, body: TagMirrorChange) => unwrap<TagMirror>(api.PATCH('/api/tag-mirrors/{account}', { params: at(account), body }))
export const syncMirror = (account: string) => unwrap<TagMirror>(api.POST('/api/tag-mirrors/{account}/sync', { params: at(account) }))
export const retryMirror = (account: string) => unwrap<TagMirror>(api.POST('/api/tag-mirrors/{account}/retry', { params: at(account) }))
export const linkTags = (account: string, body: TagLinkInput) => unwrap(api.POST('/api/tag-mirrors/{account}/links', { params: at(account), body }))

/** What shall become of a link of which one side is gone. */
export type Answer = 'delete_theirs' | 'delete_ours' | 'unlink' | 'restore'

export const resolveLink = (account: string, id: string, answer: Answer) =>
  unwrap(api.POST('/api/tag-mirrors/{account}/links/{id}/resolve', { params: { path: { account, id } }, body: { do: answer } }))
