import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/shared/api/client'
import type { LiveCodeInput, LiveCodeWelcome } from '@/shared/api/types'
import { uploadFile } from '@/shared/api/upload'

/** Every list and record of live codes is under this key. */
export const CODES_KEY = ['live-codes'] as const

const at = (id: string) => ({ path: { id } })
/** While the platform makes a code, the page looks this often. */
const WATCH_MS = 2000

export interface CodeFilters {
  q?: string
  folder?: string
  state?: 'active' | 'archived' | 'expired' | 'fault'
  account?: string
}

/** One page of the codes. */
export const codesPage = (filters: CodeFilters, lang: string) => ({
  queryKey: [...CODES_KEY, 'list', filters, lang],
  page: (cursor: string | undefined, signal: AbortSignal) => unwrap(api.GET('/api/live-codes', { params: { query: { ...filters, cursor } }, signal })),
  refetchInterval: 30_000,
})

/** One code, watched until the platform has made it. */
export const codeQuery = (id: string, lang: string) =>
  queryOptions({
    queryKey: [...CODES_KEY, 'one', id, lang],
    queryFn: ({ signal }) => unwrap(api.GET('/api/live-codes/{id}', { params: at(id), signal })),
    refetchInterval: ({ state }) => (state.data && state.data.state === 'active' && !state.data.scannable ? WATCH_MS : 30_000),
  })

export const optionsQuery = () =>
  queryOptions({ queryKey: [...CODES_KEY, 'options'], queryFn: ({ signal }) => unwrap(api.GET('/api/live-codes/options', { signal })), staleTime: 60_000 })

export const foldersQuery = () => queryOptions({ queryKey: [...CODES_KEY, 'folders'], queryFn: ({ signal }) => unwrap(api.GET('/api/live-code-folders', { signal })) })

export const statsQuery = (id: string, from: string, to: string) =>
  queryOptions({
    queryKey: [...CODES_KEY, 'one', id, 'stats', from, to],
    queryFn: ({ signal }) => unwrap(api.GET('/api/live-codes/{id}/stats', { params: { ...at(id), query: { from, to } }, signal })),
    placeholderData: (old) => old,
  })

export const peoplePage = (id: string, lang: string) => ({
  queryKey: [...CODES_KEY, 'one', id, 'people', lang],
  page: (cursor: string | undefined, signal: AbortSignal) => unwrap(api.GET('/api/live-codes/{id}/people', { params: { ...at(id), query: { cursor, limit: 20 } }, signal })),
})

export const logPage = (id: string, lang: string) => ({
  queryKey: [...CODES_KEY, 'one', id, 'log', lang],
  page: (cursor: string | undefined, signal: AbortSignal) => unwrap(api.GET('/api/live-codes/{id}/log', { params: { ...at(id), query: { cursor, limit: 20 } }, signal })),
})

/** The pools that newcomers can be placed in, named in a language. */
export const poolsQuery = (lang: string) =>
  queryOptions({ queryKey: ['machines', 'pools', 'names', lang], queryFn: ({ signal }) => unwrap(api.GET('/api/pools', { signal })), staleTime: 60_000 })

export const createCode = (body: LiveCodeInput, key: string) => unwrap(api.POST('/api/live-codes', { body, headers: { 'Idempotency-Key': key } }))
export const updateCode = (id: string, body: LiveCodeInput) => unwrap(api.PUT('/api/live-codes/{id}', { params: at(id), body }))
export const archiveCode = (id: string) => unwrap(api.POST('/api/live-codes/{id}/archive', { params: at(id) }))
export const restoreCode = (id: string) => unwrap(api.POST('/api/live-codes/{id}/restore', { params: at(id) }))
export const setMember = (id: string, staff: string, offline: boolean) => unwrap(api.POST('/api/live-codes/{id}/members', { params: at(id), body: { staff, offline } }))

export const createFolder = (name: string) => unwrap(api.POST('/api/live-code-folders', { body: { name } }))
export const renameFolder = (id: string, name: string) => unwrap(api.PUT('/api/live-code-folders/{id}', { params: at(id), body: { name } }))
export const deleteFolder = (id: string) => unwrap(api.DELETE('/api/live-code-folders/{id}', { params: at(id) }))

export const generalQuery = (account: string) =>
  queryOptions({
    queryKey: [...CODES_KEY, 'general', account],
    queryFn: ({ signal }) => unwrap(api.GET('/api/live-code-welcomes/{account}', { params: { path: { account } }, signal })),
    enabled: account !== '',
  })
export const setGeneral = (account: string, body: LiveCodeWelcome) => unwrap(api.PUT('/api/live-code-welcomes/{account}', { params: { path: { account } }, body }))

export const readLines = (account: string, text: string) => unwrap(api.POST('/api/live-codes/batch/lines', { body: { account, text } }))
export const createBatch = (like: LiveCodeInput, lines: { name: string; staff: string[]; channel?: string }[], key: string) =>
  unwrap(api.POST('/api/live-codes/batch', { body: { like, lines }, headers: { 'Idempotency-Key': key } }))
export const jobQuery = (id: string) =>
  queryOptions({
    queryKey: ['jobs', 'one', id],
    queryFn: ({ signal }) => unwrap(api.GET('/api/jobs/{id}', { params: at(id), signal })),
    refetchInterval: ({ state }) => (state.data && !['queued', 'running'].includes(state.data.state) ? false : 700),
  })

/** A picture or file that was added for welcomes. */
export interface AddedFile {
  id: string
  name: string
  type: string
  size: number
  picture: boolean
}

export const addFile = (file: File) => uploadFile<AddedFile>(`/api/live-code-files?name=${encodeURIComponent(file.name)}`, file)
export const fileURL = (id: string) => `/api/live-code-files/${encodeURIComponent(id)}`

export interface QRStyle {
  size?: number
  color?: string
  logo?: string
}

/** Where a code's picture is. `version` changes when the picture does. */
export function qrURL(id: string, format: 'png' | 'svg', style: QRStyle = {}, download = false): string {
  const q = new URLSearchParams({ format })
  if (style.size) q.set('size', String(style.size))
  if (style.color) q.set('color', style.color)
  if (style.logo) q.set('logo', style.logo)
  if (download) q.set('download', '1')
  return `/api/live-codes/${encodeURIComponent(id)}/qr?${q.toString()}`
}
