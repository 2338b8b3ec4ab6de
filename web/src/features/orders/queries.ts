import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/shared/api/client'
import type { Order, OrderState } from '@/shared/api/types'

/** What the list of orders is asked for. */
export interface OrderQuery {
  q?: string
  contact?: string
  state?: OrderState
  firstChannel?: string
  lastChannel?: string
  from?: string
  to?: string
}

/** One page of orders, newest first, without their lines. */
export const ordersPage = (query: OrderQuery) => ({
  queryKey: ['orders', 'list', query],
  page: (cursor: string | undefined, signal: AbortSignal) => unwrap(api.GET('/api/orders', { params: { query: { ...query, cursor } }, signal })),
})

/** One page of a contact's orders, newest first. */
export const contactOrdersPage = (id: string) => ({
  queryKey: ['orders', 'of', id],
  page: (cursor: string | undefined, signal: AbortSignal) => unwrap(api.GET('/api/contacts/{id}/orders', { params: { path: { id }, query: { cursor } }, signal })),
})

/** One order with its lines. */
export const orderQuery = (id: string) =>
  queryOptions({
    queryKey: ['orders', 'one', id],
    queryFn: ({ signal }) => unwrap<Order>(api.GET('/api/orders/{id}', { params: { path: { id } }, signal })),
    enabled: id !== '',
  })
