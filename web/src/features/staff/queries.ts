import { queryOptions } from '@tanstack/react-query'
import { api, idempotencyKey, unwrap } from '@/shared/api/client'
import type { CorpMember, Friendship, HandedCustomer, HandedGroup, Handover, HandoverInput, Job, Leaver, StaffAccount } from '@/shared/api/types'

/** Everything about colleagues is under this key. */
export const STAFF_KEY = ['staff'] as const

/** The accounts whose colleagues are known. */
export const accountsQuery = () =>
  queryOptions({
    queryKey: [...STAFF_KEY, 'accounts'],
    queryFn: ({ signal }) => unwrap<{ items: StaffAccount[] }>(api.GET('/api/colleagues/accounts', { signal })),
  })

/** What the list of colleagues is narrowed to. */
export interface MemberFilter {
  account: string
  state?: CorpMember['state']
  serving?: boolean
  q?: string
}

/** One page of colleagues. */
export const membersPage = (filter: MemberFilter) => ({
  queryKey: [...STAFF_KEY, 'members', filter],
  page: (cursor: string | undefined, signal: AbortSignal) =>
    unwrap<{ items: CorpMember[]; next?: string }>(api.GET('/api/colleagues', { params: { query: { ...filter, cursor } }, signal })),
})

/** Those to whom customers can be given. */
export const servingQuery = (account: string) =>
  queryOptions({
    queryKey: [...STAFF_KEY, 'serving', account],
    queryFn: ({ signal }) => unwrap<{ items: CorpMember[] }>(api.GET('/api/colleagues', { params: { query: { account, state: 'active', serving: true, limit: 500 } }, signal })),
  })

/** One page of friendships, the newest first. */
export const friendsPage = (filter: { account: string; staff?: string; state: Friendship['state'] }) => ({
  queryKey: [...STAFF_KEY, 'friends', filter],
  page: (cursor: string | undefined, signal: AbortSignal) =>
    unwrap<{ items: Friendship[]; next?: string }>(api.GET('/api/friendships', { params: { query: { ...filter, cursor } }, signal })),
})

/** Whose friend a contact is or was. */
export const contactFriendsQuery = (id: string) =>
  queryOptions({
    queryKey: [...STAFF_KEY, 'contact', id],
    queryFn: ({ signal }) => unwrap<{ items: Friendship[] }>(api.GET('/api/contacts/{id}/friends', { params: { path: { id } }, signal })),
  })

/** Who left, and what waits for somebody. */
export const leaversQuery = (account: string, all: boolean) =>
  queryOptions({
    queryKey: [...STAFF_KEY, 'leavers', account, all],
    queryFn: ({ signal }) => unwrap<{ items: Leaver[] }>(api.GET('/api/leavers', { params: { query: { account, all } }, signal })),
    refetchInterval: (query) => (query.state.data?.items.some((l) => l.going + l.groupsGoing > 0) ? 15_000 : false),
  })

/** The hand-overs of an account, the newest first; of one colleague's customers, or of everybody's. */
export const handoversQuery = (account: string, from?: string) =>
  queryOptions({
    queryKey: [...STAFF_KEY, 'handovers', account, from ?? ''],
    queryFn: ({ signal }) => unwrap<{ items: Handover[] }>(api.GET('/api/handovers', { params: { query: { account, from } }, signal })),
    refetchInterval: (query) => (query.state.data?.items.some((h) => h.state === 'open') ? 15_000 : false),
  })

/** What became of each customer of a hand-over. */
export const handedPage = (id: string) => ({
  queryKey: [...STAFF_KEY, 'handed', id],
  page: (cursor: string | undefined, signal: AbortSignal) =>
    unwrap<{ items: HandedCustomer[]; next?: string }>(api.GET('/api/handovers/{id}/customers', { params: { path: { id }, query: { cursor } }, signal })),
})

/** What became of each group of a hand-over. */
export const handedGroupsQuery = (id: string) =>
  queryOptions({
    queryKey: [...STAFF_KEY, 'handedGroups', id],
    queryFn: ({ signal }) => unwrap<{ items: HandedGroup[] }>(api.GET('/api/handovers/{id}/groups', { params: { path: { id } }, signal })),
  })

/** A job, looked at while it goes on. */
export const jobQuery = (id: string | undefined) =>
  queryOptions({
    queryKey: [...STAFF_KEY, 'job', id],
    queryFn: ({ signal }) => unwrap<Job>(api.GET('/api/jobs/{id}', { params: { path: { id: id ?? '' } }, signal })),
    enabled: id !== undefined && id !== '',
    refetchInterval: (query) => (query.state.data && query.state.data.state !== 'running' && query.state.data.state !== 'queued' ? false : 1500),
  })

export const startSync = (account: string) => unwrap<{ job: string }>(api.POST('/api/colleagues/sync', { body: { account } }))
export const stopSync = (id: string) => unwrap(api.POST('/api/jobs/{id}/cancel', { params: { path: { id } } }))

export const linkMember = (account: string, id: string, user: string) =>
  unwrap<CorpMember>(api.PUT('/api/colleagues/members/{account}/{id}/user', { params: { path: { account, id } }, body: { user } }))

export const stopHandover = (id: string) => unwrap<Handover>(api.POST('/api/handovers/{id}/stop', { params: { path: { id } } }))

export const handOver = (body: HandoverInput) => unwrap<{ items: Handover[] }>(api.POST('/api/handovers', { body, headers: { 'Idempotency-Key': idempotencyKey() } }))

export const setRemark = (contact: string, f: Friendship, remark: string, note: string) =>
  unwrap<{ items: Friendship[] }>(api.PUT('/api/contacts/{id}/friends/remark', { params: { path: { id: contact } }, body: { account: f.account, staff: f.staff, customer: f.customer, remark, note } }))

/** The users that a colleague can be. */
export const usersQuery = () => queryOptions({ queryKey: [...STAFF_KEY, 'users'], queryFn: ({ signal }) => unwrap(api.GET('/api/staff', { signal })) })
