import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/shared/api/client'
import type { Callback, Connector, ConnectorInput, ConnectorKind, ConnectorTemplate, ConnectorTest, ConnectorTested, OpenedCallback } from '@/shared/api/types'
import type { Lang } from '@/shared/i18n/lang'

/** The kinds of accounts, in the reader's language. */
export const kindsQuery = (lang: Lang) =>
  queryOptions({ queryKey: ['connectors', 'kinds', lang], queryFn: ({ signal }) => unwrap<{ items: ConnectorKind[] }>(api.GET('/api/connectors/kinds', { signal })), staleTime: Infinity })

/** All accounts with their health. */
export const connectorsQuery = (lang: Lang) =>
  queryOptions({ queryKey: ['connectors', 'list', lang], queryFn: ({ signal }) => unwrap<{ items: Connector[] }>(api.GET('/api/connectors', { signal })), refetchInterval: 30_000 })

/** One account with what is left of its quotas. It is asked for often: the platform's first call is waited for here. */
export const connectorQuery = (id: string, lang: Lang) =>
  queryOptions({ queryKey: ['connectors', 'one', id, lang], queryFn: ({ signal }) => unwrap<Connector>(api.GET('/api/connectors/{id}', { params: { path: { id } }, signal })), refetchInterval: 5_000 })

export const createConnector = (body: ConnectorInput, key: string) => unwrap<Connector>(api.POST('/api/connectors', { body, headers: { 'Idempotency-Key': key } }))

export const changeConnector = (id: string, body: ConnectorInput) => unwrap<Connector>(api.PUT('/api/connectors/{id}', { params: { path: { id } }, body }))

export const checkConnector = (id: string) => unwrap<Connector>(api.POST('/api/connectors/{id}/check', { params: { path: { id } } }))

export const pauseConnector = (id: string, paused: boolean) =>
  unwrap<Connector>(paused ? api.POST('/api/connectors/{id}/pause', { params: { path: { id } } }) : api.POST('/api/connectors/{id}/resume', { params: { path: { id } } }))

export const deleteConnector = (id: string) => unwrap(api.DELETE('/api/connectors/{id}', { params: { path: { id } } }))

/** A random value for a field, made by the server. */
export const makeValue = (kind: string, field: string) => unwrap<{ value: string }>(api.POST('/api/connectors/kinds/{kind}/fields/{field}/make', { params: { path: { kind, field } } }))

/** What narrows the inbox. */
export interface InboxFilter {
  account?: string
  state?: Callback['state']
  name?: string
  subject?: string
}

/** One page of the inbox, the newest first. */
export const inboxPage = (filter: InboxFilter) => (cursor: string | undefined, signal: AbortSignal) =>
  unwrap<{ items: Callback[]; next?: string }>(api.GET('/api/connectors/inbox', { params: { query: { ...filter, cursor } }, signal }))

/** A callback with what it says, personal values masked. */
export const callbackQuery = (id: string, lang: Lang) =>
  queryOptions({ queryKey: ['callbacks', 'one', id, lang], queryFn: ({ signal }) => unwrap<OpenedCallback>(api.GET('/api/connectors/inbox/{id}', { params: { path: { id } }, signal })) })

/** The same in full; the reason goes into the audit log. */
export const revealCallback = (id: string, reason: string) => unwrap<OpenedCallback>(api.POST('/api/connectors/inbox/{id}/reveal', { params: { path: { id } }, body: { reason } }))

/** Has callbacks worked on again: some, or all that were given up. */
export const replayCallbacks = (body: { ids?: string[]; account?: string; name?: string }) => unwrap<{ count: number }>(api.POST('/api/connectors/inbox/replay', { body }))

/** What would be deleted together with an account, in words and numbers. */
export const hangingOf = (id: string) => unwrap(api.GET('/api/connectors/hanging/{id}', { params: { path: { id } } }))

/** The texts that an account's platform allows. */
export const templatesQuery = (id: string) =>
  queryOptions({ queryKey: ['connectors', 'templates', id], queryFn: ({ signal }) => unwrap<{ items: ConnectorTemplate[] }>(api.GET('/api/connector-tests/{id}/templates', { params: { path: { id } }, signal })), staleTime: 60_000 })

/** Sends one message, to see whether an account works. */
export const sendTest = (id: string, body: ConnectorTest) => unwrap<ConnectorTested>(api.POST('/api/connector-tests/{id}', { params: { path: { id } }, body }))

/** What became of a test since. */
export const testedQuery = (id: string, test: string) =>
  queryOptions({ queryKey: ['connectors', 'tested', id, test], queryFn: ({ signal }) => unwrap<ConnectorTested>(api.GET('/api/connector-tests/{id}/sent/{test}', { params: { path: { id, test } }, signal })) })
