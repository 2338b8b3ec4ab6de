import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/shared/api/client'
import type { LandingChoices, LandingDesign, LandingInput, LandingPage, LandingRow, LandingStats } from '@/shared/api/types'
import { uploadFile } from '@/shared/api/upload'

/** Every list and record of landing pages is under this key. */
export const PAGES_KEY = ['landing-pages'] as const

export const STATES = ['draft', 'live', 'stopped', 'expired'] as const
export type PageState = (typeof STATES)[number]

const at = (id: string) => ({ path: { id } })

export const pagesQuery = (q: string, state: PageState | undefined) =>
  queryOptions({
    queryKey: [...PAGES_KEY, 'list', q, state],
    queryFn: ({ signal }) => unwrap<{ items: LandingRow[] }>(api.GET('/api/landing-pages', { params: { query: { q: q || undefined, state } }, signal })),
    placeholderData: (old) => old,
  })

export const pageQuery = (id: string) => queryOptions({ queryKey: [...PAGES_KEY, 'one', id], queryFn: ({ signal }) => unwrap<LandingPage>(api.GET('/api/landing-pages/{id}', { params: at(id), signal })) })

export const pageStatsQuery = (id: string, from: string, to: string) =>
  queryOptions({
    queryKey: [...PAGES_KEY, 'one', id, 'stats', from, to],
    queryFn: ({ signal }) => unwrap<LandingStats>(api.GET('/api/landing-pages/{id}/stats', { params: { ...at(id), query: { from, to } }, signal })),
    placeholderData: (old) => old,
  })

export const choicesQuery = (lang: string) =>
  queryOptions({ queryKey: [...PAGES_KEY, 'choices', lang], queryFn: ({ signal }) => unwrap<LandingChoices>(api.GET('/api/landing-pages/choices', { signal })), staleTime: 60_000 })

export const previewQuery = (title: string, design: LandingDesign) =>
  queryOptions({
    queryKey: [...PAGES_KEY, 'preview', title, design],
    queryFn: ({ signal }) => unwrap<{ html: string }>(api.POST('/api/landing-pages/preview', { body: { title, design }, signal })),
    placeholderData: (old) => old,
    retry: false,
  })

export const createPage = (body: LandingInput, key: string) => unwrap<LandingPage>(api.POST('/api/landing-pages', { body, headers: { 'Idempotency-Key': key } }))
export const updatePage = (id: string, body: LandingInput) => unwrap<LandingPage>(api.PUT('/api/landing-pages/{id}', { params: at(id), body }))
export const publishPage = (id: string) => unwrap<LandingPage>(api.POST('/api/landing-pages/{id}/publish', { params: at(id) }))
export const stopPage = (id: string) => unwrap<LandingPage>(api.POST('/api/landing-pages/{id}/stop', { params: at(id) }))
export const addPicture = (file: File, onProgress: (share: number) => void, signal: AbortSignal) =>
  uploadFile<{ id: string; path: string }>(`/api/landing-page-files?name=${encodeURIComponent(file.name)}`, file, { onProgress, signal })

/** Where a picture of a page is. */
export const pictureAddress = (id: string) => `/p-files/${encodeURIComponent(id)}`
/** Where the picture of a page's QR code is. */
export const pageQR = (id: string, format: 'png' | 'svg', size = 600) => `/api/landing-pages/${encodeURIComponent(id)}/qr?format=${format}&size=${size}`
/** The people behind a figure of a page, over exactly what it was counted over. */
export const peopleOf = (id: string, step: 'viewed' | 'submitted', from: string, to: string, channel?: string) =>
  `/people?${new URLSearchParams({ metric: `page:${id}:${step}`, from, to, ...(channel && { channel }) }).toString()}`
