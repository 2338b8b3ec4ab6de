import type { ContactFilter, ContactView } from '@/shared/api/types'
import { dayOf } from '@/shared/lib/time'
import type { Sort, UrlPatch } from '@/shared/lib/url'
import { FIRST_SORT, SORTS, toFilter, writeFilters, type ContactFilters, type SortKey } from './filters'

type Definition = ContactView['definition']

/** What a view keeps of the list as it is on screen. */
export function definitionOf(filters: ContactFilters, { sort, order }: Sort<SortKey>, columns?: string[]): Definition {
  return { filter: toFilter(filters), sort, order, density: 'comfortable', ...(columns?.length ? { columns } : {}) }
}

/** A view as the address writes it: everything it narrows by, so that a link shows the same to everybody. */
export function viewPatch(view: ContactView, zone: string): UrlPatch {
  const f = view.definition.filter
  const first = f.createdFrom ? dayOf(new Date(f.createdFrom), zone) : undefined
  const last = f.createdTo ? dayOf(new Date(Date.parse(f.createdTo) - 1), zone) : undefined
  const { sort = FIRST_SORT.sort, order = FIRST_SORT.order } = view.definition
  const usual = sort === FIRST_SORT.sort && order === FIRST_SORT.order
  return {
    ...writeFilters({ q: f.q ?? '', kind: f.kind ?? 'person', channel: f.channel ?? '', tag: f.tag ?? '', tagBelow: f.tagBelow ?? false, owner: f.owner ?? '', department: f.department ?? '', created: { first, last }, where: f.where }),
    where: f.where ? JSON.stringify(f.where) : '',
    sort: usual ? '' : sort,
    order: usual ? '' : order,
    view: view.id,
  }
}

/** The same text for the same meaning: what is unset or usual does not count, nor does the order of keys. */
function plain(v: unknown): unknown {
  if (Array.isArray(v)) return v.map(plain)
  if (typeof v !== 'object' || v === null) return v
  const some = Object.entries(v).filter(([k, x]) => x !== undefined && x !== '' && !(k === 'kind' && x === 'person') && !(Array.isArray(x) && x.length === 0 && k === 'columns'))
  return Object.fromEntries(some.map(([k, x]) => [k, plain(x)] as const).sort(([a], [b]) => (a < b ? -1 : 1)))
}

const instant = (text: string | undefined) => (text ? Date.parse(text) : undefined)

/** Whether the list on screen is another than the view that was saved. */
export function isChanged(view: ContactView, now: Definition): boolean {
  const key = ({ filter, sort, order }: Definition) => {
    const { createdFrom, createdTo, ...rest } = filter as ContactFilter
    return JSON.stringify(plain({ rest, from: instant(createdFrom), to: instant(createdTo), sort: SORTS.find((s) => s === sort) ?? FIRST_SORT.sort, order: order ?? FIRST_SORT.order }))
  }
  return key(view.definition) !== key(now)
}
