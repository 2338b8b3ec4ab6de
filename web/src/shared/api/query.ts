import { QueryClient } from '@tanstack/react-query'
import { ApiError } from './errors'

/** Lists and numbers count as fresh this long; live screens set their own. */
const STALE_MS = 30_000

/** Tries again only when another try can help: network trouble and server faults, twice. */
export function shouldRetry(failures: number, error: unknown): boolean {
  if (error instanceof ApiError && error.status < 500 && error.status !== 429) return false
  return failures < 2
}

/** The query client with the console's defaults. */
export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: { staleTime: STALE_MS, retry: shouldRetry, refetchOnWindowFocus: false },
      mutations: { retry: false },
    },
  })
}
