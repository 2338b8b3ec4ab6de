import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/shared/api/client'
import type { BlockedValue, Contact, ContactRow, KindRule, KindUsage, MergePreview, MergeStory, NoIdentity, NotJoined, UndoPreview } from '@/shared/api/types'

const at = (id: string) => ({ path: { id } })

/** How a person was put together, newest first. */
export const mergesQuery = (id: string) =>
  queryOptions({
    queryKey: ['contacts', 'one', id, 'merges'],
    queryFn: async ({ signal }): Promise<MergeStory[]> => (await unwrap(api.GET('/api/contacts/{id}/merges', { params: at(id), signal }))).items,
  })

/** Whom a search finds, for choosing with whom to merge. */
export const searchQuery = (q: string) =>
  queryOptions({
    queryKey: ['contacts', 'merge-search', q],
    queryFn: async ({ signal }) => (await unwrap(api.GET('/api/contacts', { params: { query: { q, limit: 8 } }, signal }))).items,
    enabled: q.length > 0,
  })

/** What a merge would do. The server tries it and takes it back. */
export const mergePreviewQuery = (keep: string, other: string) =>
  queryOptions({
    queryKey: ['contacts', 'merge-preview', keep, other],
    queryFn: ({ signal }) => unwrap<MergePreview>(api.POST('/api/contacts/{id}/merge/preview', { params: at(keep), body: { other }, signal })),
    gcTime: 0,
  })

/** What the undo of a merge would do. */
export const undoPreviewQuery = (merge: string) =>
  queryOptions({
    queryKey: ['contacts', 'undo-preview', merge],
    queryFn: ({ signal }) => unwrap<UndoPreview>(api.POST('/api/merges/{id}/undo/preview', { params: at(merge), signal })),
    gcTime: 0,
  })

export const mergeContacts = async (keep: string, body: { other: string; reason?: string; confirm?: boolean }): Promise<Contact> =>
  (await unwrap(api.POST('/api/contacts/{id}/merge', { params: at(keep), body }))).contact
export const undoMerge = (merge: string, reason: string) => unwrap(api.POST('/api/merges/{id}/undo', { params: at(merge), body: { reason: reason || undefined } }))

/** Everything of the rules is under this key. */
export const IDENTITY_KEY = ['identity'] as const

/** Kinds of identity with their rules, strongest first. */
export const kindsQuery = () =>
  queryOptions({ queryKey: [...IDENTITY_KEY, 'kinds'], queryFn: async ({ signal }): Promise<KindRule[]> => (await unwrap(api.GET('/api/identity/kinds', { signal }))).items })

/** How many there are of each kind. The server counts all of them at most every ten minutes. */
export const usageQuery = () =>
  queryOptions({ queryKey: [...IDENTITY_KEY, 'usage'], queryFn: ({ signal }) => unwrap<{ items: KindUsage[]; countedAt: string }>(api.GET('/api/identity/usage', { signal })) })

/** One page of blocked values, newest first. */
export const blockedPage = (query: { kind?: string; q?: string }) => ({
  queryKey: [...IDENTITY_KEY, 'blocked', query],
  page: (cursor: string | undefined, signal: AbortSignal) =>
    unwrap<{ items: BlockedValue[]; next?: string; total: number }>(api.GET('/api/identity/blocked', { params: { query: { ...query, cursor } }, signal })),
})

/** One page of those who carry a blocked value. */
export const carriersPage = (id: string) => ({
  queryKey: [...IDENTITY_KEY, 'carriers', id],
  page: (cursor: string | undefined, signal: AbortSignal) =>
    unwrap<{ items: ContactRow[]; next?: string }>(api.GET('/api/identity/blocked/{id}/carriers', { params: { ...at(id), query: { cursor } }, signal })),
})

/** One page of what was not made one person, the last seen first. */
export const notJoinedPage = (query: { reason?: NotJoined['reason']; kind?: string }) => ({
  queryKey: [...IDENTITY_KEY, 'conflicts', query],
  page: (cursor: string | undefined, signal: AbortSignal) => unwrap<{ items: NotJoined[]; next?: string }>(api.GET('/api/identity/conflicts', { params: { query: { ...query, cursor } }, signal })),
})

/** One page of values that identified nobody, the last sent first. */
export const refusalsPage = () => ({
  queryKey: [...IDENTITY_KEY, 'refusals'],
  page: (cursor: string | undefined, signal: AbortSignal) => unwrap<{ items: NoIdentity[]; next?: string }>(api.GET('/api/identity/refusals', { params: { query: { cursor } }, signal })),
})

export const setLimit = (kind: string, limit: number) => unwrap(api.PUT('/api/identity/kinds/{kind}', { params: { path: { kind } }, body: { limit } }))
export const blockValues = (body: { kind: string; values: string[]; note?: string }) => unwrap(api.POST('/api/identity/blocked', { body }))
export const unblockValue = (id: string) => unwrap(api.DELETE('/api/identity/blocked/{id}', { params: at(id) }))
export const keepApart = (id: string, body: { other: string; reason?: string }) => unwrap(api.POST('/api/contacts/{id}/apart', { params: at(id), body }))
