import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it, vi } from 'vitest'
import { renderPage, someone } from '../../../test/render'
import type { CursorList } from '../api/cursor'
import { ApiError } from '../api/errors'
import { DataTable, type Column } from './DataTable'

interface Fish {
  id: string
  name: string
  weight: number
}
const fish: Fish[] = [
  { id: 'a', name: '红白', weight: 3 },
  { id: 'b', name: '大正', weight: 5 },
]
const columns: Column<Fish, 'weight'>[] = [
  { key: 'name', title: '名称', render: (f) => f.name },
  { key: 'weight', title: '重量', sort: 'weight', align: 'right', render: (f) => f.weight },
  { key: 'id', title: '编号', optional: true, render: (f) => f.id },
]

function list(over: Partial<CursorList<Fish>> = {}): CursorList<Fish> {
  return { items: fish, total: 2, loading: false, fetching: false, error: undefined, refetch: vi.fn(), hasMore: false, loadingMore: false, loadMore: vi.fn(), ...over }
}
const show = (props: Partial<Parameters<typeof DataTable<Fish, 'weight'>>[0]> = {}) =>
  renderPage(<DataTable<Fish, 'weight'> label="锦鲤" list={list()} columns={columns} rowKey={(f) => f.id} empty={<p>还没有鱼</p>} {...props} />, {
    at: '/fish',
    path: '/fish',
    me: someone(),
  })

describe('states', () => {
  it('shows bones while the first page loads, and no empty state', () => {
    show({ list: list({ items: [], loading: true }), skeletonRows: 3 })
    expect(screen.getAllByRole('row')).toHaveLength(4)
    expect(screen.queryByText('还没有鱼')).toBeNull()
  })
  it('tells nothing at all from nothing that matches', async () => {
    const clear = vi.fn()
    const { unmount } = show({ list: list({ items: [] }) })
    expect(screen.getByText('还没有鱼')).toBeTruthy()
    unmount()
    show({ list: list({ items: [] }), filtered: true, onClearFilters: clear })
    expect(screen.queryByText('还没有鱼')).toBeNull()
    await userEvent.click(screen.getByRole('button', { name: '清空条件' }))
    expect(clear).toHaveBeenCalledOnce()
  })
  it('shows a failure with its request id and tries again', async () => {
    const refetch = vi.fn()
    show({ list: list({ items: [], error: new ApiError({ status: 500, code: 'internal', detail: '服务器出了点问题。', requestId: 'r-7' }), refetch }) })
    const alert = screen.getByRole('alert')
    expect(alert.textContent).toContain('服务器出了点问题。')
    expect(alert.textContent).toContain('r-7')
    await userEvent.click(within(alert).getByRole('button', { name: '重试' }))
    expect(refetch).toHaveBeenCalledOnce()
  })
  it('shows a denial as a denial, without another try', () => {
    show({ list: list({ items: [], error: new ApiError({ status: 403, code: 'permission.denied', detail: '您的角色没有此权限。' }) }) })
    expect(screen.getByRole('alert').textContent).toContain('没有权限')
    expect(screen.queryByRole('button', { name: '重试' })).toBeNull()
  })
  it('keeps the rows when a refresh fails', () => {
    show({ list: list({ error: new Error('x') }) })
    expect(screen.getByText('红白')).toBeTruthy()
    expect(screen.getByRole('alert').textContent).toContain('刷新失败')
  })
})

describe('use', () => {
  it('sorts downward, upward, and not at all', async () => {
    const onSort = vi.fn()
    const press = async () => userEvent.click(screen.getByRole('button', { name: '重量' }))
    const head = () => screen.getByRole('columnheader', { name: '重量' }).getAttribute('aria-sort')
    for (const [sort, was, next] of [
      [undefined, 'none', { sort: 'weight', order: 'desc' }],
      [{ sort: 'weight', order: 'desc' }, 'descending', { sort: 'weight', order: 'asc' }],
      [{ sort: 'weight', order: 'asc' }, 'ascending', undefined],
    ] as const) {
      const { unmount } = show({ sort, onSort })
      expect(head()).toBe(was)
      await press()
      expect(onSort).toHaveBeenLastCalledWith(next)
      unmount()
    }
  })
  it('opens a row by link for the keyboard and by the whole row for the mouse', async () => {
    const { unmount } = show({ rowHref: (f) => `/fish/${f.id}` })
    expect(screen.getByRole('link', { name: '红白' }).getAttribute('href')).toBe('/fish/a')
    await userEvent.click(screen.getByText('5'))
    expect(screen.getByTestId('where').textContent).toBe('/fish/b')
    unmount()
  })
  it('chooses one, all, and none', async () => {
    const onSelect = vi.fn()
    show({ selected: ['a'], onSelect })
    const [all, first, second] = screen.getAllByRole<HTMLInputElement>('checkbox')
    expect([all!.indeterminate, first!.checked, second!.checked]).toEqual([true, true, false])
    await userEvent.click(second!)
    expect(onSelect).toHaveBeenLastCalledWith(['a', 'b'])
    await userEvent.click(first!)
    expect(onSelect).toHaveBeenLastCalledWith([])
    await userEvent.click(all!)
    expect(onSelect).toHaveBeenLastCalledWith(['a', 'b'])
  })
  it('unfolds a row', async () => {
    show({ expand: (f) => <p>{`详情 ${f.id}`}</p> })
    const [fold] = screen.getAllByRole('button', { name: '详情' })
    await userEvent.click(fold!)
    expect(fold!.getAttribute('aria-expanded')).toBe('true')
    expect(screen.getByText('详情 a')).toBeTruthy()
  })
  it('says how much is shown and loads the rest', async () => {
    const loadMore = vi.fn()
    show({ list: list({ hasMore: true, total: 12846, loadMore }) })
    expect(screen.getByRole('status').textContent).toBe('已显示 2 / 12,846 条')
    await userEvent.click(screen.getByRole('button', { name: '加载更多' }))
    expect(loadMore).toHaveBeenCalledOnce()
  })
  it('remembers the chosen columns', async () => {
    const { unmount } = show({ columnsKey: 'fish' })
    expect(screen.queryByRole('columnheader', { name: '编号' })).toBeNull()
    await userEvent.click(screen.getByRole('button', { name: '选择显示的列' }))
    await userEvent.click(await screen.findByRole('checkbox', { name: '编号' }))
    expect(screen.getByRole('columnheader', { name: '编号' })).toBeTruthy()
    unmount()
    show({ columnsKey: 'fish' })
    expect(screen.getByRole('columnheader', { name: '编号' })).toBeTruthy()
  })
})
