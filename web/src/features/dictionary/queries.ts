import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/shared/api/client'
import type { DefState, EventDef, EventDetail, PropertyDef, Violation, paths } from '@/shared/api/types'

/** One page of events of the dictionary. */
export const eventsPage = (filter: { q?: string; state?: DefState }) => (cursor: string | undefined, signal: AbortSignal) =>
  unwrap<{ items: EventDef[]; next?: string; total?: number }>(api.GET('/api/dictionary/events', { params: { query: { ...filter, cursor } }, signal }))

/** One event with its properties and its last fortnight. */
export const eventQuery = (name: string) =>
  queryOptions({
    queryKey: ['dictionary', 'event', name],
    queryFn: ({ signal }) => unwrap<EventDetail>(api.GET('/api/dictionary/events/{name}', { params: { path: { name } }, signal })),
  })

/** One page of what breaks the plan. */
export const violationsPage = (event: string | undefined) => (cursor: string | undefined, signal: AbortSignal) =>
  unwrap<{ items: Violation[]; next?: string; total?: number }>(api.GET('/api/dictionary/violations', { params: { query: { event, cursor } }, signal }))

/** What can be said about an event. */
export interface EventInput {
  displayName?: string
  description?: string
  category?: string
  state?: DefState
}

/** Puts an event into the plan before it was ever seen. */
export const createEvent = (body: EventInput & { name: string }) => unwrap<EventDef>(api.POST('/api/dictionary/events', { body }))

/** Changes what is said about an event. */
export const updateEvent = (name: string, body: EventInput) => unwrap<EventDef>(api.PATCH('/api/dictionary/events/{name}', { params: { path: { name } }, body }))

/** What can be said about a property. */
export type PropertyInput = NonNullable<paths['/api/dictionary/events/{name}/properties/{property}']['put']['requestBody']>['content']['application/json']

/** Changes what is said about a property, or adds it to the plan. */
export const updateProperty = (name: string, property: string, body: PropertyInput) =>
  unwrap<PropertyDef>(api.PUT('/api/dictionary/events/{name}/properties/{property}', { params: { path: { name, property } }, body }))
