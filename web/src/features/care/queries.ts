import { queryOptions } from '@tanstack/react-query'
import { api, idempotencyKey, unwrap } from '@/shared/api/client'
import type { Colleague, ContactFile, ContactFilter, ContactRow, FollowUp, OwnerChange, OwnerWatch, Reassignment, RelatedPerson, SelectionBody } from '@/shared/api/types'
import type { Bucket } from './when'

export interface PlanBody {
  assignee?: string
  type: FollowUp['type']
  text?: string
  due: string
  allDay: boolean
  repeatDays?: number
  repeatMonths?: number
  repeatUntil?: string
}

export interface DoneBody {
  outcome: NonNullable<FollowUp['outcome']>
  note?: string
  next?: PlanBody
}

/** One bucket of the board. */
export const boardPage = (bucket: Bucket, assignee: string) => ({
  queryKey: ['care', 'board', bucket, assignee],
  page: (cursor: string | undefined, signal: AbortSignal) =>
    unwrap<{ items: FollowUp[]; next?: string }>(api.GET('/api/follow-ups', { params: { query: { bucket, assignee, cursor } }, signal })),
})

/** How many are open in each bucket. */
export const countsQuery = (assignee: string) =>
  queryOptions({
    queryKey: ['care', 'counts', assignee],
    queryFn: ({ signal }) => unwrap(api.GET('/api/follow-ups/counts', { params: { query: { assignee } }, signal })),
    refetchInterval: 60_000,
  })

/** A contact's follow-ups, open ones first. */
export const contactFollowUps = (id: string) =>
  queryOptions({
    queryKey: ['care', 'contact', id],
    queryFn: ({ signal }) => unwrap<{ items: FollowUp[] }>(api.GET('/api/contacts/{id}/follow-ups', { params: { path: { id } }, signal })),
  })

/** Whom work can be given to. */
export const staffQuery = () => queryOptions({ queryKey: ['care', 'staff'], queryFn: ({ signal }) => unwrap(api.GET('/api/staff', { signal })) })

/** Plans a follow-up. */
export const planFollowUp = (contact: string, body: PlanBody) =>
  unwrap<FollowUp>(api.POST('/api/contacts/{id}/follow-ups', { params: { path: { id: contact } }, body, headers: { 'Idempotency-Key': idempotencyKey() } }))

/** Ends a follow-up with what came of it. */
export const completeFollowUp = (id: string, body: DoneBody) => unwrap(api.POST('/api/follow-ups/{id}/done', { params: { path: { id } }, body }))

/** Cancels a follow-up. */
export const cancelFollowUp = (id: string) => unwrap(api.POST('/api/follow-ups/{id}/cancel', { params: { path: { id } } }))

/** Postpones or hands on many. */
export const changeFollowUps = (body: { ids: string[]; postponeDays?: number; assignee?: string; outcome?: FollowUp['outcome'] }) => unwrap<{ changed: number }>(api.POST('/api/follow-ups/bulk', { body }))

/** Moves a follow-up to another time. */
export const moveFollowUp = (id: string, body: { due: string; allDay: boolean }) => unwrap<FollowUp>(api.PATCH('/api/follow-ups/{id}', { params: { path: { id } }, body }))

/** Who of the staff knows a contact. */
export const colleaguesQuery = (id: string) =>
  queryOptions({
    queryKey: ['care', 'colleagues', id],
    queryFn: ({ signal }) => unwrap<{ items: Colleague[] }>(api.GET('/api/contacts/{id}/staff', { params: { path: { id } }, signal })),
  })

/** Who owned a contact, newest first. */
export const ownersQuery = (id: string) =>
  queryOptions({
    queryKey: ['care', 'owners', id],
    queryFn: ({ signal }) => unwrap<{ items: OwnerChange[] }>(api.GET('/api/contacts/{id}/owners', { params: { path: { id } }, signal })),
  })

/** How many contacts a change of owners would concern. */
export const reassignPreview = (who: SelectionBody) =>
  queryOptions({
    queryKey: ['care', 'reassign', who],
    queryFn: ({ signal }) => unwrap<{ total: number }>(api.POST('/api/contacts/reassign', { body: { ...who, preview: true }, signal })),
    staleTime: 0,
  })

/** Gives contacts to others, evenly; to nobody when none are named. */
export async function reassign(who: SelectionBody, to: string[], reason: string): Promise<Reassignment> {
  const body = { ...who, to: to.map((user) => ({ user, weight: 1 })), reason }
  const answer = await unwrap<{ reassignment?: Reassignment }>(api.POST('/api/contacts/reassign', { body, headers: { 'Idempotency-Key': idempotencyKey() } }))
  if (!answer.reassignment) throw new Error('the server answered without a reassignment')
  return answer.reassignment
}

/** How a change of owners goes. */
export const reassignmentQuery = (id: string) =>
  queryOptions({
    queryKey: ['care', 'reassignment', id],
    queryFn: ({ signal }) => unwrap<Reassignment>(api.GET('/api/reassignments/{id}', { params: { path: { id } }, signal })),
    refetchInterval: (q) => (q.state.data && q.state.data.state !== 'queued' && q.state.data.state !== 'running' ? false : 700),
  })

/** Gives contacts back to the owners before. */
export const undoReassignment = (id: string) => unwrap<Reassignment>(api.POST('/api/reassignments/{id}/undo', { params: { path: { id } } }))

/** When a contact counts as left alone by its owner. */
export const watchQuery = () =>
  queryOptions({ queryKey: ['care', 'watch'], queryFn: ({ signal }) => unwrap<OwnerWatch>(api.GET('/api/owner-watch', { signal })) })

/** Changes that. */
export const setWatch = (body: { enabled: boolean; days: number }) => unwrap<OwnerWatch>(api.PUT('/api/owner-watch', { body }))

/** How many contacts of one's scope a filter means. */
export const aloneCount = (filter: Partial<ContactFilter>) =>
  queryOptions({
    queryKey: ['care', 'alone', filter],
    queryFn: ({ signal }) => unwrap<{ count: number }>(api.POST('/api/contacts/count', { body: { filter: { kind: 'person', ...filter } }, signal })),
  })

/** The files about a contact, newest first. */
export const contactFiles = (id: string) =>
  queryOptions({
    queryKey: ['care', 'files', id],
    queryFn: ({ signal }) => unwrap<{ items: ContactFile[] }>(api.GET('/api/contacts/{id}/files', { params: { path: { id } }, signal })),
  })

/** Where a file is downloaded from. */
export const filePath = (contact: string, file: string): string => `/api/contacts/${contact}/files/${file}`

/** Deletes a file. */
export const deleteFile = (id: string, file: string) => unwrap(api.DELETE('/api/contacts/{id}/files/{file}', { params: { path: { id, file } } }))

/** Who has to do with a contact. */
export const relationsQuery = (id: string) =>
  queryOptions({
    queryKey: ['care', 'relations', id],
    queryFn: ({ signal }) => unwrap<{ items: RelatedPerson[] }>(api.GET('/api/contacts/{id}/relations', { params: { path: { id } }, signal })),
  })

/** Says that somebody has to do with a contact. */
export const relate = (id: string, body: { contact: string; role: RelatedPerson['role']; note: string }) =>
  unwrap(api.POST('/api/contacts/{id}/relations', { params: { path: { id } }, body, headers: { 'Idempotency-Key': idempotencyKey() } }))

/** Takes a relation away. */
export const unrelate = (id: string, relation: string) => unwrap(api.DELETE('/api/contacts/{id}/relations/{relation}', { params: { path: { id, relation } } }))

/** People whose name, pinyin, number or id begins so. */
export const findPeople = (q: string) =>
  queryOptions({
    queryKey: ['care', 'people', q],
    queryFn: ({ signal }) => unwrap<{ items: ContactRow[] }>(api.GET('/api/contacts', { params: { query: { q, limit: 8 } }, signal })),
  })
