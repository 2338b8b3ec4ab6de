import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/shared/api/client'
import type { CopiedSegment, ExportFormat, Job, MembersBody, MembersChange, NewSegment, Schedule, SegmentInput, SegmentPatch } from '@/shared/api/types'

/** Every list and record of segments is under this key. */
export const SEGMENTS_KEY = ['segments'] as const

const at = (id: string) => ({ path: { id } })
/** While a definition is worked out, the page looks this often. */
const WATCH_MS = 1500

/** The segments by name: those in use, or those that were put away. */
export const segmentsQuery = (lang: string, archived = false) =>
  queryOptions({
    queryKey: [...SEGMENTS_KEY, 'list', archived, lang],
    queryFn: ({ signal }) => unwrap(api.GET('/api/segments', { params: { query: { archived } }, signal })),
    refetchInterval: ({ state }) => (state.data?.items.some((s) => s.status === 'working') ? WATCH_MS : false),
  })

/** One segment, watched while its definition is worked out. */
export const segmentQuery = (id: string, lang: string) =>
  queryOptions({
    queryKey: [...SEGMENTS_KEY, 'one', id, lang],
    queryFn: ({ signal }) => unwrap(api.GET('/api/segments/{id}', { params: at(id), signal })),
    refetchInterval: ({ state }) => (state.data?.status === 'working' ? WATCH_MS : 15_000),
  })

/** How a segment grew, day by day. */
export const growthQuery = (id: string, days: number) =>
  queryOptions({
    queryKey: [...SEGMENTS_KEY, 'one', id, 'growth', days],
    queryFn: ({ signal }) => unwrap(api.GET('/api/segments/{id}/growth', { params: { ...at(id), query: { days } }, signal })),
    staleTime: 60_000,
  })

/** One page of the people of a segment. */
export const membersPage = (id: string) => ({
  queryKey: [...SEGMENTS_KEY, 'one', id, 'members'],
  page: (cursor: string | undefined, signal: AbortSignal) => unwrap(api.GET('/api/segments/{id}/members', { params: { ...at(id), query: { cursor } }, signal })),
})

/** One page of who came, left or stayed since a snapshot. */
export const snapshotPeoplePage = (id: string, snapshot: string, part: 'came' | 'left' | 'stayed', other?: string) => ({
  queryKey: [...SEGMENTS_KEY, 'one', id, 'snapshots', snapshot, part, other],
  page: (cursor: string | undefined, signal: AbortSignal) =>
    unwrap(api.GET('/api/segments/{id}/snapshots/{snapshot}/people', { params: { path: { id, snapshot }, query: { part, cursor, with: other } }, signal })),
})

export const snapshotsQuery = (id: string) =>
  queryOptions({
    queryKey: [...SEGMENTS_KEY, 'one', id, 'snapshots'],
    queryFn: ({ signal }) => unwrap(api.GET('/api/segments/{id}/snapshots', { params: at(id), signal })),
  })

export const diffQuery = (id: string, snapshot: string, other?: string) =>
  queryOptions({
    queryKey: [...SEGMENTS_KEY, 'one', id, 'snapshots', snapshot, 'diff', other],
    queryFn: ({ signal }) => unwrap(api.GET('/api/segments/{id}/snapshots/{snapshot}/diff', { params: { path: { id, snapshot }, query: { with: other } }, signal })),
  })

export const usesQuery = (id: string) =>
  queryOptions({
    queryKey: [...SEGMENTS_KEY, 'one', id, 'uses'],
    queryFn: ({ signal }) => unwrap(api.GET('/api/segments/{id}/uses', { params: at(id), signal })),
  })

/** How somebody stands to a segment: in or out, since when, and why. */
export const standingQuery = (id: string, contact: string, lang: string) =>
  queryOptions({
    queryKey: [...SEGMENTS_KEY, 'one', id, 'explain', contact, lang],
    queryFn: ({ signal }) => unwrap(api.GET('/api/segments/{id}/explain', { params: { ...at(id), query: { contact } }, signal })),
    retry: false,
  })

/** What was done to a segment, newest first; `before` is where the page before ended. */
export const historyPage = (id: string, lang: string) => ({
  queryKey: [...SEGMENTS_KEY, 'one', id, 'history', lang],
  page: async (cursor: string | undefined, signal: AbortSignal) => {
    const { items, next } = await unwrap(api.GET('/api/segments/{id}/history', { params: { ...at(id), query: { before: cursor ? Number(cursor) : undefined } }, signal }))
    return { items, next: next ? String(next) : undefined }
  },
})

export const compareQuery = (id: string, other: string | undefined, lang: string) =>
  queryOptions({
    queryKey: [...SEGMENTS_KEY, 'one', id, 'compare', other, lang],
    queryFn: ({ signal }) => unwrap(api.GET('/api/segments/{id}/compare', { params: { ...at(id), query: { with: other } }, signal })),
    staleTime: 60_000,
  })

export const overlapQuery = (ids: string[]) =>
  queryOptions({
    queryKey: [...SEGMENTS_KEY, 'overlap', ids],
    queryFn: ({ signal }) => unwrap(api.POST('/api/segments/overlap', { body: { ids }, signal })),
    enabled: ids.length >= 2,
  })

/** The segments that somebody is in. */
export const segmentsOfQuery = (contact: string) =>
  queryOptions({
    queryKey: [...SEGMENTS_KEY, 'of', contact],
    queryFn: ({ signal }) => unwrap(api.GET('/api/contacts/{id}/segments', { params: at(contact), signal })),
  })

/** People by what is typed, for questions about one of them. */
export const peopleQuery = (q: string) =>
  queryOptions({
    queryKey: [...SEGMENTS_KEY, 'people', q],
    queryFn: ({ signal }) => unwrap(api.GET('/api/contacts', { params: { query: { q, limit: 8 } }, signal })),
    enabled: q !== '',
  })

/** One person, for their name. */
export const personQuery = (id: string) =>
  queryOptions({
    queryKey: [...SEGMENTS_KEY, 'person', id],
    queryFn: ({ signal }) => unwrap(api.GET('/api/contacts/{id}', { params: at(id), signal })),
  })

const created = (key: string) => ({ header: { 'Idempotency-Key': key } })

export const createSegment = (body: SegmentInput, key: string) => unwrap<NewSegment>(api.POST('/api/segments', { body, params: created(key) }))
export const updateSegment = (id: string, body: SegmentPatch) => unwrap(api.PATCH('/api/segments/{id}', { params: at(id), body }))
export const copySegment = (id: string, name: string, key: string) => unwrap<CopiedSegment>(api.POST('/api/segments/{id}/copy', { params: { ...at(id), ...created(key) }, body: { name } }))
export const archiveSegment = (id: string, anyway: boolean) => unwrap(api.POST('/api/segments/{id}/archive', { params: at(id), body: { anyway } }))
export const restoreSegment = (id: string) => unwrap(api.POST('/api/segments/{id}/restore', { params: at(id) }))
export const changeMembers = (id: string, body: MembersBody, key: string) =>
  unwrap<MembersChange>(api.POST('/api/segments/{id}/members', { params: { ...at(id), ...created(key) }, body }))
export const undoChange = (id: string, entry: string) => unwrap(api.POST('/api/segments/{id}/history/{entry}/undo', { params: { path: { id, entry } } }))
export const exportSegment = (id: string, format: ExportFormat, key: string) => unwrap<Job>(api.POST('/api/segments/{id}/export', { params: { ...at(id), ...created(key) }, body: { format, encoding: 'utf8bom' } }))
export const takeSnapshot = (id: string, note: string) => unwrap(api.POST('/api/segments/{id}/snapshots', { params: at(id), body: note ? { note } : {} }))
export const dropSnapshot = (id: string, snapshot: string) => unwrap(api.DELETE('/api/segments/{id}/snapshots/{snapshot}', { params: { path: { id, snapshot } } }))
export const setSchedule = (id: string, body: Schedule | undefined) =>
  body ? unwrap(api.PUT('/api/segments/{id}/schedule', { params: at(id), body })) : unwrap(api.DELETE('/api/segments/{id}/schedule', { params: at(id) }))
