import { useCallback } from 'react'
import { useTranslation } from 'react-i18next'

/** The channels a contact can come from, in the order they are offered. */
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
export type Channel = (typeof CHANNELS)[number]

const isChannel = (id: string): id is Channel => (CHANNELS as readonly string[]).includes(id)

/** Names channels in the reader's language. A channel this console does not know keeps its id. */
export function useChannelName(): (id: string) => string {
  const { t } = useTranslation()
  return useCallback((id) => (isChannel(id) ? t(`channel.${id}`) : id), [t])
}
