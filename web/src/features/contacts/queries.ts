import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/shared/api/client'
import type { Contact, ContactInput, ContactQuery, Note } from '@/shared/api/types'
import type { PeopleQuery } from './people'

/** Every list and record of contacts is under this key. */
export const CONTACTS_KEY = ['contacts'] as const

const at = (id: string) => ({ path: { id } })

/** One page of the list of contacts. */
export const contactsPage = (query: ContactQuery) => ({
  queryKey: [...CONTACTS_KEY, 'list', query],
  page: (cursor: string | undefined, signal: AbortSignal) => unwrap(api.GET('/api/contacts', { params: { query: { ...query, cursor } }, signal })),
})

/** One page of the people behind a number of the home page. */
export const peoplePage = (query: PeopleQuery) => ({
  queryKey: [...CONTACTS_KEY, 'people', query],
  page: (cursor: string | undefined, signal: AbortSignal) => unwrap(api.GET('/api/people', { params: { query: { ...query, cursor } }, signal })),
})

/** One contact with everything but its facts. */
export const contactQuery = (id: string) =>
  queryOptions({
    queryKey: [...CONTACTS_KEY, 'one', id],
    queryFn: ({ signal }) => unwrap<Contact>(api.GET('/api/contacts/{id}', { params: at(id), signal })),
  })

/** What a contact's timeline is narrowed to. */
export interface TimelineFilter {
  names?: string
  from?: string
  to?: string
}

/** One page of a contact's timeline, newest first. */
export const timelinePage = (id: string, filter: TimelineFilter) => ({
  queryKey: [...CONTACTS_KEY, 'one', id, 'timeline', filter],
  page: (cursor: string | undefined, signal: AbortSignal) =>
    unwrap(api.GET('/api/contacts/{id}/timeline', { params: { ...at(id), query: { ...filter, cursor } }, signal })),
})

/** One page of a contact's notes, newest first. */
export const notesPage = (id: string) => ({
  queryKey: [...CONTACTS_KEY, 'one', id, 'notes'],
  page: (cursor: string | undefined, signal: AbortSignal) => unwrap(api.GET('/api/contacts/{id}/notes', { params: { ...at(id), query: { cursor } }, signal })),
})

/** Who saw personal values of a contact, newest first. */
export const looksQuery = (id: string) =>
  queryOptions({
    queryKey: [...CONTACTS_KEY, 'one', id, 'looks'],
    queryFn: ({ signal }) => unwrap(api.GET('/api/contacts/{id}/looks', { params: at(id), signal })),
  })

/** Every tag in its group. */
export const tagsQuery = () =>
  queryOptions({
    queryKey: ['tags'],
    queryFn: ({ signal }) => unwrap(api.GET('/api/tags', { signal })),
  })

/** The members of staff a contact can belong to. Needs team.read. */
export const staffQuery = (enabled: boolean) =>
  queryOptions({
    queryKey: ['users'],
    queryFn: ({ signal }) => unwrap(api.GET('/api/users', { signal })),
    enabled,
  })

/** Names of events with their titles, for the timeline's filter. Needs dictionary.read. */
export const eventNamesQuery = (enabled: boolean) =>
  queryOptions({
    queryKey: ['dictionary', 'names'],
    queryFn: ({ signal }) => unwrap(api.GET('/api/dictionary/events', { params: { query: { limit: 200 } }, signal })),
    enabled,
  })

export const createContact = (body: ContactInput, key: string) =>
  unwrap<Contact>(api.POST('/api/contacts', { body, params: { header: { 'Idempotency-Key': key } } }))
export const patchContact = (id: string, body: { name?: string; ownerId?: string }) => unwrap<Contact>(api.PATCH('/api/contacts/{id}', { params: at(id), body }))
export const changeTags = (id: string, body: { add?: string[]; remove?: string[] }, signal?: AbortSignal) =>
  unwrap<Contact>(api.PUT('/api/contacts/{id}/tags', { params: at(id), body, signal }))
export const createTag = (body: { group: string; name: string }) => unwrap(api.POST('/api/tags', { body }))
export const addNote = (id: string, text: string) => unwrap<Note>(api.POST('/api/contacts/{id}/notes', { params: at(id), body: { text } }))
export const deleteNote = (id: string, note: string) => unwrap(api.DELETE('/api/contacts/{id}/notes/{note}', { params: { path: { id, note } } }))

/** Fetches a hidden value in full. The server writes who asked, for what and why into the audit log. */
export const unmask = async (id: string, field: string, reason: string): Promise<string> =>
  (await unwrap(api.POST('/api/contacts/{id}/unmask', { params: at(id), body: { field, reason } }))).value
