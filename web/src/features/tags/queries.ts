import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/shared/api/client'
import { ApiError } from '@/shared/api/errors'
import type { TagMergePreview, NewTag, NewTagGroup, TagAutomation, TagAutomationPreview, TagChange, TagDefinition, TagExceptionPage, TagGroup, TagGroupChange, TagOrder, TagPreview, TagRun, TagUsage, TagWork, Upload } from '@/shared/api/types'
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

/** How a tag is given by itself; nothing when it is not. Asked again while it is being worked out. */
export const automationQuery = (id: string) =>
  queryOptions({
    queryKey: ['tags', 'automation', id],
    queryFn: async ({ signal }): Promise<{ automation?: TagAutomation }> => {
      try {
        return { automation: await unwrap<TagAutomation>(api.GET('/api/tags/{id}/automation', { params: at(id), signal })) }
      } catch (error) {
        if (error instanceof ApiError && error.code === 'autotag.none') return {}
        throw error
      }
    },
    refetchInterval: ({ state: { data } }) => (data?.automation && ['preparing', 'working'].includes(data.automation.status.state) ? 1000 : false),
  })

/** What a definition would do, without doing it. */
export const previewQuery = (id: string, body: TagDefinition | undefined) =>
  queryOptions({
    queryKey: ['tags', 'automation', id, 'preview', body],
    queryFn: ({ signal }) => unwrap<TagAutomationPreview>(api.POST('/api/tags/{id}/automation/preview', { params: at(id), body: body as TagDefinition, signal })),
    enabled: body !== undefined,
    retry: false,
  })

/** One page of those who do not have an automatic tag though it is for them. */
export const exceptionsPage = (id: string, cursor: string | undefined, signal: AbortSignal) =>
  unwrap<TagExceptionPage>(api.GET('/api/tags/{id}/automation/exceptions', { params: { ...at(id), query: { cursor } }, signal }))

export const putAutomation = (id: string, body: TagDefinition) => unwrap<TagAutomation>(api.PUT('/api/tags/{id}/automation', { params: at(id), body }))
export const deleteAutomation = (id: string, takeTags: boolean) => unwrap(api.DELETE('/api/tags/{id}/automation', { params: { ...at(id), query: { takeTags } } }))
export const liftException = (id: string, contact: string) => unwrap(api.DELETE('/api/tags/{id}/automation/exceptions/{contact}', { params: { path: { id, contact } } }))

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
