import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/shared/api/client'
import type { SystemStatus } from '@/shared/api/types'

const WATCH_MS = 3000

/** How the program and its stores are doing; looked at again every few seconds. */
export const systemQuery = () =>
  queryOptions({
    queryKey: ['system'],
    queryFn: ({ signal }) => unwrap<SystemStatus>(api.GET('/api/system', { signal })),
    refetchInterval: WATCH_MS,
  })
