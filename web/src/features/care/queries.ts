import { queryOptions } from '@tanstack/react-query'
import { api, idempotencyKey, unwrap } from '@/shared/api/client'
import type { FollowUp } from '@/shared/api/types'
import type { Bucket } from './when'

export interface PlanBody {
  assignee?: string
  type: FollowUp['type']
  text?: string
  due: string
  allDay: boolean
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
export const changeFollowUps = (body: { ids: string[]; postponeDays?: number; assignee?: string }) => unwrap<{ changed: number }>(api.POST('/api/follow-ups/bulk', { body }))
