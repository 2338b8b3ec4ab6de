import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/shared/api/client'
import type { Contact, ContactFilter, ContactInput, ContactQuery, ContactView, ExportInput, Job, Note, TagPreview, TagRun, TagWork, ViewInput, ViewPrefs } from '@/shared/api/types'
import type { PeopleQuery } from './people'

/** Every list and record of contacts is under this key. */
export const CONTACTS_KEY = ['contacts'] as const

const at = (id: string) => ({ path: { id } })

/** Beyond so many characters a rule travels in a body: proxies cut long addresses off. */
const LONG = 1500

/** One page of the list of contacts. */
export const contactsPage = (query: ContactQuery) => ({
  queryKey: [...CONTACTS_KEY, 'list', query],
  page: (cursor: string | undefined, signal: AbortSignal) => {
    if ((query.where?.length ?? 0) <= LONG) return unwrap(api.GET('/api/contacts', { params: { query: { ...query, cursor } }, signal }))
    const { where, kind = 'person', sort = 'lastSeen', order = 'desc', limit = 50, attributes, ...filter } = query
    const rule = where ? (JSON.parse(where) as ContactFilter['where']) : undefined
    return unwrap(api.POST('/api/contacts/query', { body: { filter: { ...filter, kind, where: rule }, sort, order, limit, cursor, ...(attributes ? { attributes } : {}) }, signal }))
  },
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

/** A filter as a sentence, and how many it means. */
export const describeFilter = (body: ContactFilter, lang: string) =>
  queryOptions({
    queryKey: ['contacts', 'describe', body, lang],
    queryFn: ({ signal }) => unwrap(api.POST('/api/contacts/describe', { body, signal })),
    retry: false,
  })

/** Every list of views and their numbers are under this key. */
export const VIEWS_KEY = ['contacts', 'views'] as const

/** The views that there are for this user, and how they are kept. */
export const viewsQuery = (lang: string) =>
  queryOptions({
    queryKey: [...VIEWS_KEY, lang],
    queryFn: ({ signal }) => unwrap(api.GET('/api/contact-views', { signal })),
  })

/** How many contacts views show. The server counts at most twice a minute. */
export const viewCountsQuery = (ids: string[]) =>
  queryOptions({
    queryKey: ['contacts', 'view-counts', ids],
    queryFn: ({ signal }) => unwrap(api.GET('/api/contact-view-counts', { params: { query: { ids: ids.join(',') } }, signal })),
    enabled: ids.length > 0,
    staleTime: 30_000,
    placeholderData: (old) => old,
  })

export const createView = (body: ViewInput) => unwrap<ContactView>(api.POST('/api/contact-views', { body }))
export const updateView = (id: string, body: ViewInput) => unwrap<ContactView>(api.PUT('/api/contact-views/{id}', { params: at(id), body }))
export const deleteView = (id: string) => unwrap(api.DELETE('/api/contact-views/{id}', { params: at(id) }))
export const setViewPrefs = (body: ViewPrefs) => unwrap(api.PUT('/api/contact-view-prefs', { body }))

/** The columns that a file of contacts can have. Needs contact.export. */
export const exportColumnsQuery = (lang: string) =>
  queryOptions({
    queryKey: ['contacts', 'export-columns', lang],
    queryFn: ({ signal }) => unwrap(api.GET('/api/contacts/export-columns', { signal })),
  })

export const startExport = (body: ExportInput, key: string) =>
  unwrap<Job>(api.POST('/api/contacts/export', { body, params: { header: { 'Idempotency-Key': key } } }))

/** What work on the tags of many would change. */
export const tagPreviewQuery = (work: TagWork, enabled: boolean) =>
  queryOptions({
    queryKey: ['tags', 'preview', work],
    queryFn: ({ signal }) => unwrap<TagPreview>(api.POST('/api/tags/bulk/preview', { body: work, signal })),
    enabled,
  })

/** Work on the tags of many, watched until it ends. */
export const tagRunQuery = (id: string) =>
  queryOptions({
    queryKey: ['tags', 'run', id],
    queryFn: ({ signal }) => unwrap<TagRun>(api.GET('/api/tag-runs/{id}', { params: at(id), signal })),
    refetchInterval: ({ state }) => (!state.data || state.data.undoing || state.data.state === 'queued' || state.data.state === 'running' ? 600 : false),
  })

export const bulkTags = (work: TagWork) => unwrap<TagRun>(api.POST('/api/tags/bulk', { body: work }))
export const cancelTagRun = (id: string) => unwrap<TagRun>(api.POST('/api/tag-runs/{id}/cancel', { params: at(id) }))
export const undoTagRun = (id: string) => unwrap<TagRun>(api.POST('/api/tag-runs/{id}/undo', { params: at(id) }))
