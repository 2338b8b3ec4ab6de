import type { ContactFilter, ContactQuery, Rule } from '@/shared/api/types'
import { parseDays, type DaySpan } from '@/shared/lib/days'
import type { Sort, UrlPatch } from '@/shared/lib/url'
import { parseRule } from '@/shared/rules/rule'

/** What a contact is: someone known, or a device nobody has claimed yet. */
export const KINDS = ['person', 'visitor'] as const
export type Kind = (typeof KINDS)[number]

export const SORTS = ['lastSeen', 'created', 'name', 'orders', 'revenue', 'lastOrder'] as const
export type SortKey = (typeof SORTS)[number]
export const FIRST_SORT: Sort<SortKey> = { sort: 'lastSeen', order: 'desc' }

/** What the list of contacts is narrowed to. */
export interface ContactFilters {
  q: string
  kind: Kind
  channel: string
  tag: string
  /** Tags below the tag count too. */
  tagBelow: boolean
  owner: string
  /** A department: the contacts of its people and of all below it. */
  department: string
  created: DaySpan
  /** What the filter builder made. */
  where?: Rule
}

/** Reads the filters from the address. Nonsense counts as not set. */
export function readFilters(params: URLSearchParams, zone: string): ContactFilters {
  const get = (key: string) => params.get(key)?.trim() ?? ''
  return {
    q: get('q'),
    kind: KINDS.find((k) => k === params.get('kind')) ?? 'person',
    channel: get('channel'),
    tag: get('tag'),
    tagBelow: get('tag') !== '' && params.get('tagBelow') === '1',
    owner: get('owner'),
    department: get('department'),
    created: parseDays(params.get('createdFrom'), params.get('createdTo'), zone),
    where: parseRule(params.get('where')),
  }
}

/** The filters as the address keeps them: defaults and empty ones are left out. */
export function writeFilters(f: Partial<ContactFilters>): UrlPatch {
  const out: UrlPatch = {}
  for (const key of ['q', 'channel', 'tag', 'owner', 'department'] as const) if (f[key] !== undefined) out[key] = f[key]
  if (f.tagBelow !== undefined) out.tagBelow = f.tagBelow ? '1' : ''
  if (f.kind !== undefined) out.kind = f.kind === 'person' ? '' : f.kind
  if (f.created !== undefined) {
    out.createdFrom = f.created.first ?? ''
    out.createdTo = f.created.last ?? ''
  }
  if ('where' in f) out.where = f.where ? JSON.stringify(f.where) : ''
  return out
}

/** Takes every filter out of the address. The kind stays: it is a view, not a filter. */
export const NO_FILTERS: UrlPatch = writeFilters({ q: '', channel: '', tag: '', tagBelow: false, owner: '', department: '', created: {}, where: undefined })

/** Whether anything narrows the list within its kind. */
export function isFiltered(f: ContactFilters): boolean {
  return !!(f.q || f.channel || f.tag || f.owner || f.department || f.created.first || f.created.last || f.where)
}

/** The filters as every request about many contacts takes them. */
export function toFilter(f: ContactFilters): ContactFilter {
  return {
    q: f.q || undefined,
    kind: f.kind,
    channel: f.channel || undefined,
    tag: f.tag || undefined,
    tagBelow: (f.tag && f.tagBelow) || undefined,
    owner: f.owner || undefined,
    department: f.department || undefined,
    createdFrom: f.created.from,
    createdTo: f.created.to,
    where: f.where,
  }
}

/** The filters and the order as the list takes them. */
export function toQuery(f: ContactFilters, { sort, order }: Sort<SortKey>): ContactQuery {
  const { where, ...rest } = toFilter(f)
  return { ...rest, where: where && JSON.stringify(where), sort, order }
}
