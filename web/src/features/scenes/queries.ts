import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/shared/api/client'
import type { SceneCodeInput } from '@/shared/api/types'

/** Every list and record of scene codes is under this key. */
export const SCENES_KEY = ['scene-codes'] as const

const at = (id: string) => ({ path: { id } })
/** While the platform makes a code, the page looks this often. */
const WATCH_MS = 2000

export const accountsQuery = () => queryOptions({ queryKey: [...SCENES_KEY, 'accounts'], queryFn: ({ signal }) => unwrap(api.GET('/api/scene-codes/accounts', { signal })), staleTime: 30_000 })

export const codesPage = (filters: { q?: string; channel?: string; kind?: 'official' | 'mini'; state?: 'active' | 'archived' }, lang: string) => ({
  queryKey: [...SCENES_KEY, 'list', filters, lang],
  page: (cursor: string | undefined, signal: AbortSignal) => unwrap(api.GET('/api/scene-codes', { params: { query: { ...filters, cursor } }, signal })),
})

export const codeQuery = (id: string, lang: string) =>
  queryOptions({
    queryKey: [...SCENES_KEY, 'one', id, lang],
    queryFn: ({ signal }) => unwrap(api.GET('/api/scene-codes/{id}', { params: at(id), signal })),
    refetchInterval: ({ state }) => (state.data && !state.data.ready && state.data.state === 'active' ? WATCH_MS : false),
  })

export const statsQuery = (id: string) => queryOptions({ queryKey: [...SCENES_KEY, 'stats', id], queryFn: ({ signal }) => unwrap(api.GET('/api/scene-codes/{id}/stats', { params: at(id), signal })) })

/** The auto-replies of an account, to choose from. */
export const answersQuery = (account: string) =>
  queryOptions({
    queryKey: ['replies', 'for-scenes', account],
    queryFn: async ({ signal }) => {
      const list = await unwrap(api.GET('/api/replies', { params: { query: { account, limit: 200 } }, signal }))
      return [...list.items].sort((a, b) => Number(b.kind === 'chosen') - Number(a.kind === 'chosen'))
    },
    enabled: account !== '',
  })

export const createCode = (body: SceneCodeInput, key: string) => unwrap(api.POST('/api/scene-codes', { body, headers: { 'Idempotency-Key': key } }))
export const updateCode = (id: string, body: SceneCodeInput) => unwrap(api.PUT('/api/scene-codes/{id}', { params: at(id), body }))
export const archiveCode = (id: string) => unwrap(api.POST('/api/scene-codes/{id}/archive', { params: at(id) }))
export const restoreCode = (id: string) => unwrap(api.POST('/api/scene-codes/{id}/restore', { params: at(id) }))

/** Where a code's picture is. */
export const qrURL = (id: string, format: 'png' | 'svg', size = 600) => `/api/scene-codes/${encodeURIComponent(id)}/qr?format=${format}&size=${size}`
