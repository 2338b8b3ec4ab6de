import { useInfiniteQuery, type QueryKey } from '@tanstack/react-query'
import { useMemo } from 'react'

/** One page of a keyset list. */
export interface Page<T> {
  items: T[]
  next?: string
  total?: number
  /** How many more there are that the reader may not see. */
  outside?: number
}

/** A keyset list as DataTable takes it. */
export interface CursorList<T> {
  items: T[]
  /** How many there are in all, when the server counts them. */
  total: number | undefined
  /** How many more there are that the reader may not see. */
  outside?: number
  /** The first page is not here yet. */
  loading: boolean
  /** Something is being fetched, the first page or a refresh. */
  fetching: boolean
  error: unknown
  refetch: () => void
  hasMore: boolean
  loadingMore: boolean
  loadMore: () => void
}

interface Options<T> {
  /** Identifies the list and every filter it depends on. */
  queryKey: QueryKey
  /** Fetches the page at the cursor; undefined is the first. */
  page: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<T>>
  enabled?: boolean
  /** Fetch again every so many milliseconds. */
  refetchInterval?: number | false
}

/** Reads a keyset list page by page. Changing the key starts over while the old rows stay on screen. */
export function useCursorList<T>({ queryKey, page, enabled, refetchInterval }: Options<T>): CursorList<T> {
  const query = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam, signal }) => page(pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: Page<T>) => last.next || undefined,
    placeholderData: (previous) => previous,
    enabled,
    refetchInterval,
  })
  const { data } = query
  const items = useMemo(() => data?.pages.flatMap((p) => p.items) ?? [], [data])
  return {
    items,
    total: data?.pages[0]?.total,
    outside: data?.pages[0]?.outside,
    loading: query.isPending && query.fetchStatus !== 'idle',
    fetching: query.isFetching,
    error: query.isError ? query.error : undefined,
    refetch: () => void query.refetch(),
    hasMore: query.hasNextPage,
    loadingMore: query.isFetchingNextPage,
    loadMore: () => {
      if (query.hasNextPage && !query.isFetchingNextPage) void query.fetchNextPage()
    },
  }
}

/** Dresses a list that comes whole, without pages, so that DataTable can show it. */
export function wholeList<T>(query: {
  data: { items: T[] } | undefined
  isPending: boolean
  isFetching: boolean
  error: unknown
  refetch: () => unknown
}): CursorList<T> {
  return {
    items: query.data?.items ?? [],
    total: query.data?.items.length,
    loading: query.isPending,
    fetching: query.isFetching,
    error: query.error ?? undefined,
    refetch: () => void query.refetch(),
    hasMore: false,
    loadingMore: false,
    loadMore: () => undefined,
  }
}
