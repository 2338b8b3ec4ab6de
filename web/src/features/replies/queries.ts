import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/shared/api/client'
import type { MenuButton, ReplyHours, ReplyInput, ReplyTrial } from '@/shared/api/types'
import { uploadFile } from '@/shared/api/upload'

/** Every list and record of auto-replies is under this key. */
export const REPLIES_KEY = ['replies'] as const
export const MENUS_KEY = ['menus'] as const

const at = (id: string) => ({ path: { id } })
const of = (account: string) => ({ path: { account } })

export const KINDS = ['follow', 'keyword', 'chosen', 'off_hours', 'default'] as const
export type ReplyKind = (typeof KINDS)[number]

export const accountsQuery = () => queryOptions({ queryKey: [...REPLIES_KEY, 'accounts'], queryFn: ({ signal }) => unwrap(api.GET('/api/replies/accounts', { signal })), staleTime: 30_000 })

export const repliesPage = (filters: { account?: string; kind?: ReplyKind; q?: string }) => ({
  queryKey: [...REPLIES_KEY, 'list', filters],
  page: (cursor: string | undefined, signal: AbortSignal) => unwrap(api.GET('/api/replies', { params: { query: { ...filters, cursor } }, signal })),
})

/** The rules that a button or a scene code of an account can choose, the ones made for it first. */
export const choicesQuery = (account: string) =>
  queryOptions({
    queryKey: [...REPLIES_KEY, 'choices', account],
    queryFn: async ({ signal }) => {
      const list = await unwrap(api.GET('/api/replies', { params: { query: { account, limit: 200 } }, signal }))
      return [...list.items].sort((a, b) => Number(b.kind === 'chosen') - Number(a.kind === 'chosen'))
    },
  })

export const statsQuery = (id: string, from: string, to: string) =>
  queryOptions({ queryKey: [...REPLIES_KEY, 'stats', id, from, to], queryFn: ({ signal }) => unwrap(api.GET('/api/replies/{id}/stats', { params: { ...at(id), query: { from, to } }, signal })) })

export const hoursQuery = (account: string) => queryOptions({ queryKey: [...REPLIES_KEY, 'hours', account], queryFn: ({ signal }) => unwrap(api.GET('/api/reply-hours/{account}', { params: of(account), signal })) })

export const createReply = (body: ReplyInput, key: string) => unwrap(api.POST('/api/replies', { body, headers: { 'Idempotency-Key': key } }))
export const updateReply = (id: string, body: ReplyInput) => unwrap(api.PUT('/api/replies/{id}', { params: at(id), body }))
export const deleteReply = (id: string) => unwrap(api.DELETE('/api/replies/{id}', { params: at(id) }))
export const moveReply = (id: string, before: string | undefined) => unwrap(api.POST('/api/replies/{id}/place', { params: at(id), body: { before } }))
export const tryReply = (body: ReplyTrial) => unwrap(api.POST('/api/replies/try', { body }))
export const setHours = (account: string, body: ReplyHours) => unwrap(api.PUT('/api/reply-hours/{account}', { params: of(account), body }))
export const importReplies = (account: string, uploadId: string, dryRun: boolean) => unwrap(api.POST('/api/replies/file', { body: { account, uploadId, dryRun } }))
export const exportURL = (account: string) => `/api/replies/keywords.csv?account=${encodeURIComponent(account)}`

export const sendTable = (file: File, onProgress: (share: number) => void, signal: AbortSignal) =>
  uploadFile<{ id: string }>(`/api/imports/files?name=${encodeURIComponent(file.name)}`, file, { onProgress, signal })
export const sendPicture = (file: File) => uploadFile<{ id: string }>(`/api/live-code-files?name=${encodeURIComponent(file.name)}`, file)
export const pictureURL = (id: string) => `/api/live-code-files/${encodeURIComponent(id)}`

export const menuQuery = (account: string, lang: string) =>
  queryOptions({ queryKey: [...MENUS_KEY, 'one', account, lang], queryFn: ({ signal }) => unwrap(api.GET('/api/menus/{account}', { params: of(account), signal })), refetchOnWindowFocus: false })
export const tapsQuery = (account: string, from: string, to: string) =>
  queryOptions({ queryKey: [...MENUS_KEY, 'stats', account, from, to], queryFn: ({ signal }) => unwrap(api.GET('/api/menus/{account}/stats', { params: { ...of(account), query: { from, to } }, signal })) })
export const versionsQuery = (account: string) => queryOptions({ queryKey: [...MENUS_KEY, 'versions', account], queryFn: ({ signal }) => unwrap(api.GET('/api/menus/{account}/versions', { params: of(account), signal })) })
export const saveMenu = (account: string, buttons: MenuButton[], rev: number) => unwrap(api.PUT('/api/menus/{account}', { params: of(account), body: { buttons, rev } }))
export const publishMenu = (account: string, rev: number) => unwrap(api.POST('/api/menus/{account}/publish', { params: of(account), body: { rev } }))
export const readMenu = (account: string, rev: number) => unwrap(api.POST('/api/menus/{account}/read', { params: of(account), body: { rev } }))
export const restoreMenu = (account: string, n: number, rev: number) => unwrap(api.POST('/api/menus/{account}/versions/{n}/restore', { params: { path: { account, n } }, body: { rev } }))
