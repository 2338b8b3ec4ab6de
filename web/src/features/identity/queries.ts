import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/shared/api/client'
import type { Contact, MergePreview, MergeStory, UndoPreview } from '@/shared/api/types'

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
