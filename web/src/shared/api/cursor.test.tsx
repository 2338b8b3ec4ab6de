import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { act, renderHook, waitFor } from '@testing-library/react'
import type { ReactNode } from 'react'
import { describe, expect, it, vi } from 'vitest'
import { useCursorList, type Page } from './cursor'

function wrapper() {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  return ({ children }: { children: ReactNode }) => <QueryClientProvider client={client}>{children}</QueryClientProvider>
}

const pages: Record<string, Page<number>> = {
  '': { items: [1, 2], next: 'a', total: 5 },
  a: { items: [3, 4], next: 'b', total: 5 },
  b: { items: [5], total: 5 },
}

describe('useCursorList', () => {
  it('follows the cursor to the end and no further', async () => {
    const page = vi.fn(async (cursor: string | undefined) => pages[cursor ?? '']!)
    const { result } = renderHook(() => useCursorList({ queryKey: ['n'], page }), { wrapper: wrapper() })
    expect(result.current.loading).toBe(true)
    await waitFor(() => expect(result.current.items).toEqual([1, 2]))
    expect(result.current).toMatchObject({ total: 5, hasMore: true, loading: false })

    act(() => result.current.loadMore())
    await waitFor(() => expect(result.current.items).toEqual([1, 2, 3, 4]))
    act(() => result.current.loadMore())
    await waitFor(() => expect(result.current.items).toEqual([1, 2, 3, 4, 5]))
    expect(result.current.hasMore).toBe(false)

    act(() => result.current.loadMore())
    expect(page.mock.calls.map(([c]) => c)).toEqual([undefined, 'a', 'b'])
  })

  it('keeps the old rows while a changed filter loads, then shows only the new', async () => {
    let release: (p: Page<string>) => void = () => undefined
    const page = vi.fn((_c: string | undefined) => Promise.resolve<Page<string>>({ items: ['old'] }))
    const { result, rerender } = renderHook(({ q }) => useCursorList({ queryKey: ['s', q], page: (c) => (q === 'new' ? new Promise<Page<string>>((r) => (release = r)) : page(c)) }), {
      wrapper: wrapper(),
      initialProps: { q: 'old' },
    })
    await waitFor(() => expect(result.current.items).toEqual(['old']))
    rerender({ q: 'new' })
    expect(result.current.items).toEqual(['old'])
    expect(result.current.fetching).toBe(true)
    await act(async () => release({ items: ['new'] }))
    await waitFor(() => expect(result.current.items).toEqual(['new']))
  })

  it('reports a failure and recovers by refetching', async () => {
    let fail = true
    const page = async () => {
      if (fail) throw new Error('down')
      return { items: [7] }
    }
    const { result } = renderHook(() => useCursorList({ queryKey: ['f'], page }), { wrapper: wrapper() })
    await waitFor(() => expect(result.current.error).toBeInstanceOf(Error))
    expect(result.current.loading).toBe(false)
    fail = false
    act(() => result.current.refetch())
    await waitFor(() => expect(result.current.items).toEqual([7]))
    expect(result.current.error).toBeUndefined()
  })

  it('is not loading when it is switched off', () => {
    const { result } = renderHook(() => useCursorList({ queryKey: ['off'], page: async () => ({ items: [] }), enabled: false }), { wrapper: wrapper() })
    expect(result.current).toMatchObject({ loading: false, items: [], hasMore: false })
  })
})
