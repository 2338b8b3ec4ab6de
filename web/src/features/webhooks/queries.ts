import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/shared/api/client'
import type { NewWebhook, Webhook, WebhookDelivery, WebhookInput, WebhookTried } from '@/shared/api/types'

/** Everything about webhooks is under this key. */
export const WEBHOOKS_KEY = ['webhooks'] as const

const at = (id: string) => ({ path: { id } })
/** How often the pages look at what became of deliveries. */
const WATCH_MS = 5_000

/** Every webhook with what waits for it. */
export const webhooksQuery = (lang: string) =>
  queryOptions({
    queryKey: [...WEBHOOKS_KEY, 'list', lang],
    queryFn: ({ signal }) => unwrap<{ items: Webhook[] }>(api.GET('/api/webhooks', { signal })),
    refetchInterval: WATCH_MS,
  })

/** One webhook. */
export const webhookQuery = (id: string, lang: string) =>
  queryOptions({
    queryKey: [...WEBHOOKS_KEY, 'one', id, lang],
    queryFn: ({ signal }) => unwrap<Webhook>(api.GET('/api/webhooks/{id}', { params: at(id), signal })),
    refetchInterval: WATCH_MS,
  })

/** Deliveries of a webhook that wait, or that were given up. */
export const deliveriesPage = (id: string, state: WebhookDelivery['state'], lang: string) => ({
  queryKey: [...WEBHOOKS_KEY, 'one', id, 'deliveries', state, lang],
  page: (cursor: string | undefined, signal: AbortSignal) => unwrap(api.GET('/api/webhooks/{id}/deliveries', { params: { ...at(id), query: { state, cursor } }, signal })),
  refetchInterval: WATCH_MS,
})

/** The segments to choose from, also those that were put away: a webhook may still name them. */
export const segmentNamesQuery = () =>
  queryOptions({
    queryKey: [...WEBHOOKS_KEY, 'segments'],
    queryFn: async ({ signal }): Promise<{ id: string; name: string; archived: boolean }[]> => {
      const lists = await Promise.all([false, true].map((archived) => unwrap(api.GET('/api/segments', { params: { query: { archived } }, signal }))))
      return lists.flatMap(({ items }, i) => items.map(({ id, name }) => ({ id, name, archived: i === 1 })))
    },
    staleTime: 30_000,
  })

/** Makes a webhook; the answer holds its secret this one time. */
export const createWebhook = (body: WebhookInput) => unwrap<NewWebhook>(api.POST('/api/webhooks', { body }))
export const updateWebhook = (id: string, body: WebhookInput) => unwrap(api.PUT('/api/webhooks/{id}', { params: at(id), body }))
export const deleteWebhook = (id: string) => unwrap(api.DELETE('/api/webhooks/{id}', { params: at(id) }))
export const newSecret = (id: string) => unwrap<{ secret: string }>(api.POST('/api/webhooks/{id}/secret', { params: at(id) }))
export const testWebhook = (id: string) => unwrap<WebhookTried>(api.POST('/api/webhooks/{id}/test', { params: at(id) }))
/** Sends deliveries again; without ids, all that were given up. */
export const retryDeliveries = (id: string, ids?: string[]) => unwrap<{ count: number }>(api.POST('/api/webhooks/{id}/deliveries/retry', { params: at(id), body: ids ? { ids } : {} }))
