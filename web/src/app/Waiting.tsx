import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api, unwrap } from '@/shared/api/client'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'

/** How many possible duplicates wait for a decision, beside their entry in the navigation. */
export function Waiting() {
  const { t } = useTranslation('app')
  const { lang } = usePrefs()
  const { data } = useQuery({
    queryKey: ['matches', 'count'], // decisions on the page of duplicates make it stale
    queryFn: ({ signal }) => unwrap(api.GET('/api/matches/count', { signal })),
    refetchInterval: 60_000,
    staleTime: 20_000,
  })
  if (!data?.open) return null
  return (
    <span className="kp-nav-count kp-num" title={t('nav.waiting', { count: data.open })}>
      {formatInt(data.open, lang)}
    </span>
  )
}

/** How much abnormal traffic waits for a person, beside its entry in the navigation. */
export function TrafficWaiting() {
  const { t } = useTranslation('app')
  const { lang } = usePrefs()
  const { data } = useQuery({
    queryKey: ['traffic', 'open'], // judgements on its page make it stale
    queryFn: ({ signal }) => unwrap(api.GET('/api/traffic/open', { signal })),
    refetchInterval: 60_000,
    staleTime: 20_000,
  })
  if (!data?.open) return null
  return (
    <span className="kp-nav-count kp-num" title={t('nav.trafficWaiting', { count: data.open })}>
      {formatInt(data.open, lang)}
    </span>
  )
}
