import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/shared/api/client'
import type { CustomerGroup, GroupAccount, GroupDetail, GroupMember, GroupStay, Job } from '@/shared/api/types'

/** Everything about groups is under this key. */
export const GROUPS_KEY = ['groups'] as const

/** How the groups of each account stand. */
export const accountsQuery = () =>
  queryOptions({
    queryKey: [...GROUPS_KEY, 'accounts'],
    queryFn: ({ signal }) => unwrap<{ items: GroupAccount[] }>(api.GET('/api/groups/accounts', { signal })),
  })

/** What the list of groups is narrowed to. */
export interface GroupFilter {
  account: string
  owner?: string
  state?: CustomerGroup['state']
  ownerLeft?: boolean
  q?: string
}

/** One page of groups. */
export const groupsPage = (filter: GroupFilter) => ({
  queryKey: [...GROUPS_KEY, 'list', filter],
  page: (cursor: string | undefined, signal: AbortSignal) =>
    unwrap<{ items: CustomerGroup[]; next?: string }>(api.GET('/api/groups', { params: { query: { ...filter, cursor } }, signal })),
})

/** A group with its growth and layers. */
export const groupQuery = (account: string, id: string) =>
  queryOptions({
    queryKey: [...GROUPS_KEY, 'one', account, id],
    queryFn: ({ signal }) => unwrap<GroupDetail>(api.GET('/api/groups/{account}/{id}', { params: { path: { account, id } }, signal })),
  })

/** What the list of members is narrowed to. */
export interface MemberFilter {
  layer?: NonNullable<GroupMember['layer']>
  kind?: GroupMember['kind']
  who?: 'friends' | 'strangers'
  gone?: boolean
}

/** One page of a group's members. */
export const membersPage = (account: string, id: string, filter: MemberFilter) => ({
  queryKey: [...GROUPS_KEY, 'members', account, id, filter],
  page: (cursor: string | undefined, signal: AbortSignal) =>
    unwrap<{ items: GroupMember[]; next?: string }>(api.GET('/api/groups/{account}/{id}/members', { params: { path: { account, id }, query: { ...filter, cursor } }, signal })),
})

/** The groups that a contact is or was in. */
export const contactGroupsQuery = (id: string) =>
  queryOptions({
    queryKey: [...GROUPS_KEY, 'contact', id],
    queryFn: ({ signal }) => unwrap<{ items: GroupStay[] }>(api.GET('/api/contacts/{id}/groups', { params: { path: { id } }, signal })),
  })

/** A job, looked at while it goes on. */
export const jobQuery = (id: string | undefined) =>
  queryOptions({
    queryKey: [...GROUPS_KEY, 'job', id],
    queryFn: ({ signal }) => unwrap<Job>(api.GET('/api/jobs/{id}', { params: { path: { id: id ?? '' } }, signal })),
    enabled: id !== undefined && id !== '',
    refetchInterval: (query) => (query.state.data && query.state.data.state !== 'running' && query.state.data.state !== 'queued' ? false : 1500),
  })

export const startSync = (account: string) => unwrap<{ job: string }>(api.POST('/api/groups/sync', { body: { account } }))
