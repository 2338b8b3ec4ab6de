import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { api, idempotencyKey, unwrap } from '@/shared/api/client'
import { uploadFile } from '@/shared/api/upload'
import type {
  ConsentBatch,
  ConsentBulk,
  ConsentBulkPreview,
  ConsentBulkQuestion,
  ConsentChange,
  ConsentCheck,
  ConsentDraft,
  ConsentPerson,
  ConsentPurpose,
  ConsentPurposeChange,
  ConsentRow,
  Consents,
  ConsentTotals,
  ConsentWork,
  NewConsentPurpose,
  PreferenceLink,
  Suppression,
} from '@/shared/api/types'

/** Everything of consent is under this key. */
export const CONSENT_KEY = ['consent'] as const

const at = (id: string) => ({ path: { id } })

/** The channels as the server orders them; all stands for each of them, or for the use of data itself. */
export const CHANNELS = ['wecom', 'official_account', 'mini_program', 'sms', 'email', 'phone', 'in_app'] as const
export type ChannelId = ConsentChange['channel']

export type Said = 'granted' | 'withdrawn'
export type PeopleState = Said | 'unknown'

/** Every purpose with its wordings, in order. */
export const purposesQuery = () =>
  queryOptions({ queryKey: [...CONSENT_KEY, 'purposes'], queryFn: ({ signal }) => unwrap<{ items: ConsentPurpose[] }>(api.GET('/api/consent/purposes', { signal })) })

/** What one person agreed to. */
export const consentsQuery = (id: string) =>
  queryOptions({ queryKey: [...CONSENT_KEY, 'contact', id], queryFn: ({ signal }) => unwrap<Consents>(api.GET('/api/contacts/{id}/consents', { params: at(id), signal })) })

/** One page of what a person said, newest first. */
export const historyPage = (id: string) => ({
  queryKey: [...CONSENT_KEY, 'contact', id, 'history'],
  page: (cursor: string | undefined, signal: AbortSignal) =>
    unwrap<{ items: ConsentRow[]; next?: string }>(api.GET('/api/contacts/{id}/consents/history', { params: { ...at(id), query: { cursor } }, signal })),
})

/** People by what they said. */
export const totalsQuery = () =>
  queryOptions({ queryKey: [...CONSENT_KEY, 'totals'], queryFn: ({ signal }) => unwrap<ConsentTotals>(api.GET('/api/consent/totals', { signal })) })

/** One page of the people behind a total. */
export const peoplePage = (query: { purpose: string; channel: ChannelId; state: PeopleState }) => ({
  queryKey: [...CONSENT_KEY, 'people', query],
  page: (cursor: string | undefined, signal: AbortSignal) =>
    unwrap<{ items: ConsentPerson[]; next?: string; total: number }>(api.GET('/api/consent/people', { params: { query: { ...query, cursor } }, signal })),
})

export interface LedgerFilter {
  purpose?: string
  state?: 'granted' | 'withdrawn' | 'voided'
  source?: ConsentSource
}
export const SOURCES = ['page', 'form', 'unsubscribe', 'staff', 'api', 'sdk', 'import', 'reply', 'complaint', 'bulk'] as const
export type ConsentSource = (typeof SOURCES)[number]

/** One page of the newest rows of the ledger. */
export const ledgerPage = (filter: LedgerFilter) => ({
  queryKey: [...CONSENT_KEY, 'ledger', filter],
  page: (cursor: string | undefined, signal: AbortSignal) =>
    unwrap<{ items: ConsentRow[]; next?: string }>(api.GET('/api/consent/ledger', { params: { query: { ...filter, cursor } }, signal })),
})

/** One page of changes of many people. */
export const batchesPage = () => ({
  queryKey: [...CONSENT_KEY, 'batches'],
  page: (cursor: string | undefined, signal: AbortSignal) =>
    unwrap<{ items: ConsentBatch[]; next?: string }>(api.GET('/api/consent/changes', { params: { query: { cursor, limit: 20 } }, signal })),
})

/** One page of the suppression list. q is an address in full. */
export const suppressionsPage = (q: string) => ({
  queryKey: [...CONSENT_KEY, 'suppressions', q],
  page: (cursor: string | undefined, signal: AbortSignal) =>
    unwrap<{ items: Suppression[]; next?: string }>(api.GET('/api/consent/suppressions', { params: { query: { q: q || undefined, cursor } }, signal })),
})

/** What the last check of the ledger found. */
export const checkQuery = () =>
  queryOptions({ queryKey: [...CONSENT_KEY, 'check'], queryFn: ({ signal }) => unwrap<ConsentCheck>(api.GET('/api/consent/ledger/check', { signal })) })

/** The preference page as it would be with a draft: the server's own page, whole. */
export const pagePreviewQuery = (lang: 'zh-CN' | 'en', draft: ConsentDraft | undefined) =>
  queryOptions({
    queryKey: [...CONSENT_KEY, 'page', lang, draft],
    queryFn: ({ signal }) => unwrap<{ html: string }>(api.POST('/api/consent/preview', { body: { lang, draft }, signal })),
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  })

/** What a change of many would do. */
export const bulkPreviewQuery = (body: ConsentBulkQuestion, enabled: boolean) =>
  queryOptions({
    queryKey: [...CONSENT_KEY, 'bulk', body],
    queryFn: ({ signal }) => unwrap<ConsentBulkPreview>(api.POST('/api/consent/changes/preview', { body, signal })),
    enabled,
  })

/** A change of many with how far it is. */
export const workQuery = (batch: string) =>
  queryOptions({
    queryKey: [...CONSENT_KEY, 'work', batch],
    queryFn: ({ signal }) => unwrap<ConsentWork>(api.GET('/api/consent/changes/{batch}', { params: { path: { batch } }, signal })),
    refetchInterval: ({ state }) => (!state.data || state.data.jobState === 'queued' || state.data.jobState === 'running' ? 700 : false),
  })

export interface ProofFile {
  id: string
  name: string
  size: number
}
/** Brings a file that proves a change of many. */
export const sendProof = (file: File, onProgress: (share: number) => void, signal: AbortSignal) =>
  uploadFile<ProofFile>(`/api/consent/proofs?name=${encodeURIComponent(file.name)}`, file, { onProgress, signal })
export const startBulk = (body: ConsentBulk, key: string) => unwrap<ConsentBatch>(api.POST('/api/consent/changes', { body, headers: { 'Idempotency-Key': key } }))
export const setConsents = (id: string, changes: ConsentChange[], reason: string) =>
  unwrap<Consents>(api.POST('/api/contacts/{id}/consents', { params: at(id), body: { changes, reason } }))
export const makeLink = (id: string, body: { days?: number; new?: boolean }) =>
  unwrap<PreferenceLink>(api.POST('/api/contacts/{id}/preference-link', { params: at(id), body }))
export const revokeLinks = (id: string) => unwrap(api.DELETE('/api/contacts/{id}/preference-link', { params: at(id) }))
export const suppress = (body: { kind: Suppression['kind']; value: string; whole: boolean; reason: string }) =>
  unwrap<Suppression>(api.POST('/api/consent/suppressions', { body }))
export const unsuppress = (id: string, reason: string) => unwrap(api.DELETE('/api/consent/suppressions/{id}', { params: { ...at(id), query: { reason } } }))
export const startCheck = () => unwrap<ConsentCheck>(api.POST('/api/consent/ledger/check'))
export const undoBatch = (batch: string) => unwrap<ConsentBatch>(api.POST('/api/consent/changes/{batch}/undo', { params: { path: { batch } } }))
export const createPurpose = (body: NewConsentPurpose) => unwrap<ConsentPurpose>(api.POST('/api/consent/purposes', { body, headers: { 'Idempotency-Key': idempotencyKey() } }))
export const updatePurpose = (purpose: string, body: ConsentPurposeChange) =>
  unwrap<ConsentPurpose>(api.PATCH('/api/consent/purposes/{purpose}', { params: { path: { purpose } }, body }))
export const addWording = (purpose: string, body: { text: { zh: string; en: string }; effectiveAt?: string }) =>
  unwrap<ConsentPurpose>(api.POST('/api/consent/purposes/{purpose}/wordings', { params: { path: { purpose } }, body, headers: { 'Idempotency-Key': idempotencyKey() } }))
