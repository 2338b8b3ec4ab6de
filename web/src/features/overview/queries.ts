import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/shared/api/client'

/** How often the figures are fetched again while the demo fills. */
const FILLING_POLL_MS = 3000

/** What the home page is asked for. */
export interface OverviewFilter {
  from: string
  to: string
  channel?: string
  currency?: string
}

/** The home page's numbers. `live` keeps fetching, for while data streams in. */
export const overviewQuery = (filter: OverviewFilter, live: boolean) =>
  queryOptions({
    queryKey: ['overview', filter],
    queryFn: ({ signal }) => unwrap(api.GET('/api/overview', { params: { query: filter }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: live ? FILLING_POLL_MS : false,
  })
