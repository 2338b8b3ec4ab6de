import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/shared/api/client'
import type { TagMergePreview, NewTag, NewTagGroup, TagChange, TagGroup, TagGroupChange, TagOrder, TagPreview, TagRun, TagUsage, TagWork, Upload } from '@/shared/api/types'
import { uploadFile } from '@/shared/api/upload'

const at = (id: string) => ({ path: { id } })

/** Every group and tag, archived ones too. */
export const systemQuery = () =>
  queryOptions({
    queryKey: ['tags', 'system'],
    queryFn: ({ signal }) => unwrap<{ groups: TagGroup[] }>(api.GET('/api/tags', { params: { query: { archived: true } }, signal })),
  })

export const usageQuery = (id: string) =>
  queryOptions({
    queryKey: ['tags', 'usage', id],
    queryFn: ({ signal }) => unwrap<TagUsage>(api.GET('/api/tags/{id}/usage', { params: at(id), signal })),
  })

export const mergeQuery = (id: string, into: string) =>
  queryOptions({
    queryKey: ['tags', 'merge', id, into],
    queryFn: ({ signal }) => unwrap<TagMergePreview>(api.POST('/api/tags/{id}/merge/preview', { params: at(id), body: { into }, signal })),
    enabled: into !== '',
  })

export const fileQuery = (work: TagWork, enabled: boolean) =>
  queryOptions({
    queryKey: ['tags', 'preview', work],
    queryFn: ({ signal }) => unwrap<TagPreview>(api.POST('/api/tags/bulk/preview', { body: work, signal })),
    enabled,
  })

/** One page of work on tags, newest first. */
export const runsPage = (cursor: string | undefined, signal: AbortSignal) => unwrap<{ items: TagRun[]; next?: string }>(api.GET('/api/tag-runs', { params: { query: { cursor } }, signal }))

type MayRun = { run?: TagRun }

export const createGroup = (body: NewTagGroup) => unwrap(api.POST('/api/tag-groups', { body }))
export const changeGroup = (id: string, body: TagGroupChange) => unwrap<MayRun>(api.PATCH('/api/tag-groups/{id}', { params: at(id), body }))
export const deleteGroup = (id: string) => unwrap(api.DELETE('/api/tag-groups/{id}', { params: at(id) }))
export const orderGroups = (ids: string[]) => unwrap(api.PUT('/api/tag-groups/order', { body: { ids } }))
export const createTag = (body: NewTag) => unwrap(api.POST('/api/tags', { body }))
export const changeTag = (id: string, body: TagChange) => unwrap(api.PATCH('/api/tags/{id}', { params: at(id), body }))
export const deleteTag = (id: string) => unwrap<MayRun>(api.DELETE('/api/tags/{id}', { params: { ...at(id), query: { confirm: true } } }))
export const orderTags = (group: string, body: TagOrder) => unwrap<MayRun>(api.PUT('/api/tag-groups/{id}/tags', { params: at(group), body }))
export const mergeTag = (id: string, into: string) => unwrap<TagRun>(api.POST('/api/tags/{id}/merge', { params: at(id), body: { into } }))
export const bulkTags = (body: TagWork) => unwrap<TagRun>(api.POST('/api/tags/bulk', { body }))
export const cancelRun = (id: string) => unwrap<TagRun>(api.POST('/api/tag-runs/{id}/cancel', { params: at(id) }))
export const undoRun = (id: string) => unwrap<TagRun>(api.POST('/api/tag-runs/{id}/undo', { params: at(id) }))

/** Sends a file that names people. */
export const sendFile = (file: File, onProgress: (share: number) => void, signal: AbortSignal) => uploadFile<Upload>(`/api/imports/files?name=${encodeURIComponent(file.name)}`, file, { onProgress, signal })
