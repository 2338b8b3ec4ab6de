import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/shared/api/client'
import type { Channel, ChannelClue, ChannelCost, ChannelCosts, ChannelInput, ChannelReport, ChannelRule, ChannelSpread, ChannelTrend, ChannelTried, CostFile, CostResult, OrderTouches } from '@/shared/api/types'
import { uploadFile } from '@/shared/api/upload'

/** What figures are counted over. */
export interface ReportScope {
  from: string
  to: string
  channel?: string
  currency?: string
}

export const reportQuery = (scope: ReportScope, lang: string) =>
  queryOptions({
    queryKey: ['channels', 'report', scope, lang],
    queryFn: ({ signal }) => unwrap<ChannelReport>(api.GET('/api/channel-report', { params: { query: scope }, signal })),
    placeholderData: keepPreviousData,
  })

export const trendQuery = (scope: ReportScope) =>
  queryOptions({
    queryKey: ['channels', 'trend', scope],
    queryFn: ({ signal }) => unwrap<ChannelTrend>(api.GET('/api/channel-trend', { params: { query: scope }, signal })),
    placeholderData: keepPreviousData,
  })

export const costsQuery = (from: string, to: string, currency?: string) =>
  queryOptions({
    queryKey: ['channels', 'costs', from, to, currency ?? ''],
    queryFn: ({ signal }) => unwrap<ChannelCosts>(api.GET('/api/channel-costs', { params: { query: { from, to, currency } }, signal })),
  })

export const rulesQuery = () => queryOptions({ queryKey: ['channels', 'rules'], queryFn: ({ signal }) => unwrap<{ rules: ChannelRule[] }>(api.GET('/api/channel-rules', { signal })) })

/** Who of the staff can answer for a channel. */
export const ownersQuery = () => queryOptions({ queryKey: ['channels', 'owners'], queryFn: ({ signal }) => unwrap(api.GET('/api/staff', { signal })) })

export const createChannel = (body: ChannelInput) => unwrap<Channel>(api.POST('/api/channels', { body }))
export const changeChannel = (id: string, body: ChannelInput) => unwrap<Channel>(api.PUT('/api/channels/{id}', { params: { path: { id } }, body }))
export const setRules = (rules: ChannelRule[]) => unwrap<{ rules: ChannelRule[] }>(api.PUT('/api/channel-rules', { body: { rules } }))
export const tryRules = (body: ChannelClue) => unwrap<ChannelTried>(api.POST('/api/channel-rules/try', { body }))
export const setCosts = (currency: string, cells: ChannelCost[]) => unwrap(api.PUT('/api/channel-costs', { body: { currency, cells } }))
export const spreadCost = (body: ChannelSpread) => unwrap(api.POST('/api/channel-costs/spread', { body }))
export const importCosts = (body: CostFile) => unwrap<CostResult>(api.POST('/api/channel-costs/import', { body }))

/** Sends a file of costs; what it holds is told by a dry run. */
export const sendCosts = (file: File, onProgress: (share: number) => void, signal: AbortSignal) =>
  uploadFile<{ id: string }>(`/api/imports/files?name=${encodeURIComponent(file.name)}`, file, { onProgress, signal })

/** Which touch counts as an order's last one; asked again while orders are worked out. */
export const touchesQuery = () =>
  queryOptions({
    queryKey: ['channels', 'touches'],
    queryFn: ({ signal }) => unwrap<OrderTouches>(api.GET('/api/order-touches', { signal })),
    refetchInterval: ({ state }) => (state.data && state.data.due > 0 ? 3000 : false),
  })
export const setTouchDays = (days: number) => unwrap<OrderTouches>(api.PUT('/api/order-touches', { body: { days } }))
