import type { OrderState } from '@/shared/api/types'
import { parseDays, type DaySpan } from '@/shared/lib/days'
import type { UrlPatch } from '@/shared/lib/url'
import type { OrderQuery } from './queries'

export const STATES: readonly OrderState[] = ['paid', 'partly_refunded', 'refunded']

/** What the list of orders is narrowed to. */
export interface OrderFilters {
  q: string
  state: OrderState | undefined
  contact: string
  /** Channels of the first and the last touch. */
  first: string
  last: string
  paid: DaySpan
}

/** Reads the filters from the address. Nonsense counts as not set. */
export function readFilters(params: URLSearchParams, zone: string): OrderFilters {
  return {
    q: params.get('q')?.trim() ?? '',
    state: STATES.find((s) => s === params.get('state')),
    contact: params.get('contact')?.trim() ?? '',
    first: params.get('first')?.trim() ?? '',
    last: params.get('last')?.trim() ?? '',
    paid: parseDays(params.get('paidFrom'), params.get('paidTo'), zone),
  }
}

/** Takes every filter out of the address. */
export const NO_FILTERS: UrlPatch = { q: '', state: '', contact: '', first: '', last: '', paidFrom: '', paidTo: '' }

/** Whether anything narrows the list. */
export function isFiltered(f: OrderFilters): boolean {
  return !!(f.q || f.state || f.contact || f.first || f.last || f.paid.first || f.paid.last)
}

/** The filters as the API takes them. */
export function toQuery(f: OrderFilters): OrderQuery {
  return { q: f.q || undefined, state: f.state, contact: f.contact || undefined, firstChannel: f.first || undefined, lastChannel: f.last || undefined, from: f.paid.from, to: f.paid.to }
}
