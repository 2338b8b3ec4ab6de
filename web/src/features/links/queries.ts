import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/shared/api/client'
import type { Page } from '@/shared/api/cursor'
import type { LinkBatch, LinkBatchResult, LinkInput, LinkOpen, LinkSettings, LinkStats, ShortLink } from '@/shared/api/types'
import { uploadFile } from '@/shared/api/upload'

/** What the list of links is narrowed by. */
export interface LinkFilters {
  q?: string
  channel?: string
  state?: 'active' | 'paused' | 'expired'
}

export const linksPage = (filters: LinkFilters) => ({
  queryKey: ['links', 'list', filters] as const,
  page: (cursor: string | undefined, signal: AbortSignal) => unwrap<Page<ShortLink>>(api.GET('/api/links', { params: { query: { ...filters, cursor } }, signal })),
})

export const linkQuery = (code: string) =>
  queryOptions({ queryKey: ['links', 'one', code], queryFn: ({ signal }) => unwrap<ShortLink>(api.GET('/api/links/{code}', { params: { path: { code } }, signal })) })

export const statsQuery = (code: string, from: string, to: string) =>
  queryOptions({
    queryKey: ['links', 'stats', code, from, to],
    queryFn: ({ signal }) => unwrap<LinkStats>(api.GET('/api/links/{code}/stats', { params: { path: { code }, query: { from, to } }, signal })),
    placeholderData: keepPreviousData,
  })

export const openingsPage = (code: string | undefined, known: boolean) => ({
  queryKey: ['links', 'openings', code ?? '', known] as const,
  page: (cursor: string | undefined, signal: AbortSignal) => unwrap<Page<LinkOpen>>(api.GET('/api/link-openings', { params: { query: { code, known, cursor } }, signal })),
})

export const settingsQuery = () => queryOptions({ queryKey: ['links', 'settings'], queryFn: ({ signal }) => unwrap<LinkSettings>(api.GET('/api/link-settings', { signal })) })

export const ownersQuery = () => queryOptions({ queryKey: ['links', 'owners'], queryFn: ({ signal }) => unwrap(api.GET('/api/staff', { signal })) })

export const createLink = (body: LinkInput) => unwrap<ShortLink>(api.POST('/api/links', { body }))
export const changeLink = (code: string, body: LinkInput) => unwrap<ShortLink>(api.PUT('/api/links/{code}', { params: { path: { code } }, body }))
export const createBatch = (body: LinkBatch) => unwrap<LinkBatchResult>(api.POST('/api/links/batch', { body }))
export const setSettings = (body: LinkSettings) => unwrap<LinkSettings>(api.PUT('/api/link-settings', { body }))
export const sendLinks = (file: File, onProgress: (share: number) => void, signal: AbortSignal) =>
  uploadFile<{ id: string }>(`/api/imports/files?name=${encodeURIComponent(file.name)}`, file, { onProgress, signal })

/** Where the picture of a link's QR code is. */
export const qrAddress = (code: string, format: 'png' | 'svg', size = 600) => `/api/links/${encodeURIComponent(code)}/qr?format=${format}&size=${size}`
