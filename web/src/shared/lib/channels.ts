import { queryOptions, useQuery } from '@tanstack/react-query'
import { useCallback, useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { api, unwrap } from '../api/client'
import type { Channel } from '../api/types'

/** The channels that every installation has, in the order they are offered until the company's tree is known. */
export const CHANNELS = [
  'paid_search',
  'feed_ads',
  'social',
  'short_video',
  'media',
  'vertical',
  'ecommerce',
  'offline',
  'partner',
  'referral',
  'organic',
  'direct',
  'unknown',
] as const
export type ShippedChannel = (typeof CHANNELS)[number]

const isShipped = (id: string): id is ShippedChannel => (CHANNELS as readonly string[]).includes(id)

/** The company's tree of channels. The frame of the console fetches it once for everybody who names channels. */
export const channelsQuery = (lang: string) =>
  queryOptions({ queryKey: ['channels', 'tree', lang], queryFn: ({ signal }) => unwrap<{ items: Channel[] }>(api.GET('/api/channels', { signal })), staleTime: 60_000 })

/** The tree as far as it has been fetched. */
function useTree(): Channel[] | undefined {
  const { i18n } = useTranslation()
  return useQuery({ ...channelsQuery(i18n.language), enabled: false }).data?.items
}

/** Names channels in the reader's language. A channel this console does not know keeps its id. */
export function useChannelName(): (id: string) => string {
  const { t } = useTranslation()
  const tree = useTree()
  const names = useMemo(() => new Map(tree?.map((c) => [c.id, c.name])), [tree])
  return useCallback((id) => names.get(id) ?? (isShipped(id) ? t(`channel.${id}`) : id), [names, t])
}

/** Channels to choose from, each behind those above it: "Social media / Weibo". */
export function useChannelOptions(): { value: string; label: string }[] {
  const { t } = useTranslation()
  const tree = useTree()
  return useMemo(
    () => tree?.filter((c) => !c.archived).map((c) => ({ value: c.id, label: c.path.join(' / ') })) ?? CHANNELS.map((id) => ({ value: id, label: t(`channel.${id}`) })),
    [tree, t],
  )
}
