import { act, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Job } from '@/shared/api/types'
import { renderPage, someone } from '../../test/render'
import { json, serve } from '../../test/server'
import { AppLayout } from './AppLayout'

afterEach(() => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

const everything = { contacts: [{ id: 'c1', name: '陈雨桐', kind: 'person', tags: [], orders: 0, revenue: [], createdAt: '2026-03-01T00:00:00Z' }], orders: [], events: [], imports: [] }
const job = (state: Job['state']): Job => ({
  id: 'j1',
  kind: 'import',
  title: '导入 orders.csv',
  state,
  done: 1,
  total: 2,
  unit: 'rows',
  hasFile: false,
  createdBy: { id: 'u1', name: '沈知夏' },
  createdAt: '2026-03-01T00:00:00Z',
  link: '/imports/i1',
})
const open = (permissions = ['contact.read', 'jobs.read'], me = someone({ permissions })) => renderPage(<AppLayout />, { at: '/start', path: '/start', me })

describe('frame', () => {
  it('shows only the pages this user may open', () => {
    serve({ 'GET /api/jobs': () => json({ items: [] }) })
    open()
    const nav = within(screen.getByRole('navigation', { name: '主导航' }))
    expect(nav.getAllByRole('link').map((l) => l.textContent)).toEqual(['客户', '跟进', '标签', '客户属性', '疑似重复', '授权与退订', '任务'])
  })
  it('does not ask for jobs the user may not see', () => {
    const seen = serve({})
    open(['contact.read'])
    expect(seen.map((c) => c.path)).not.toContain('/api/jobs')
    expect(screen.queryByRole('button', { name: '我的任务' })).toBeNull()
  })
  it('tells of unread reminders, whom they are about, and marks them read', async () => {
    const told = { id: 'no_1', kind: 'followup.due', contact: { id: 'ct_1', name: '陈雨桐' }, ref: 'fu_1', createdAt: '2026-03-01T00:00:00Z', read: false }
    const seen = serve({ 'GET /api/notifications': () => json({ items: [told], unread: 1 }), 'POST /api/notifications/read': () => new Response(null, { status: 204 }) })
    open(['contact.read'])
    await userEvent.click(await screen.findByRole('button', { name: '1 条未读提醒' }))
    expect((await screen.findByRole('link', { name: '该跟进 陈雨桐 了' })).getAttribute('href')).toBe('/contacts/ct_1?tab=follow-ups')
    await userEvent.click(screen.getByRole('button', { name: '全部标为已读' }))
    await waitFor(() => expect(seen.find((c) => c.method === 'POST')?.body).toEqual({ ids: [] }))
  })
  it('shows how far the demo has filled', () => {
    serve({})
    open([], someone({ permissions: [], demo: { state: 'filling', done: 5000, total: 20000 } }))
    expect(screen.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('25')
  })
})

describe('palette', () => {
  it('opens, finds and goes with the keyboard alone', async () => {
    serve({ 'GET /api/jobs': () => json({ items: [] }), 'GET /api/search': () => json(everything) })
    const user = userEvent.setup()
    open()
    await user.keyboard('{Control>}k{/Control}')
    const box = await screen.findByRole('combobox')
    await waitFor(() => expect(document.activeElement).toBe(box))
    await user.keyboard('chen')
    const option = await screen.findByRole('option', { name: /陈雨桐/ })
    await waitFor(() => expect(option.getAttribute('aria-selected')).toBe('true'))
    expect(box.getAttribute('aria-activedescendant')).toBe(option.id)
    await user.keyboard('{Enter}')
    expect((await screen.findByTestId('where')).textContent).toBe('/contacts/c1')
  })
  it('goes round with the arrows and closes with Escape', async () => {
    serve({ 'GET /api/jobs': () => json({ items: [] }) })
    const user = userEvent.setup()
    open()
    await user.keyboard('{Control>}k{/Control}')
    const box = await screen.findByRole('combobox')
    await waitFor(() => expect(document.activeElement).toBe(box))
    const on = () => screen.getAllByRole('option').findIndex((o) => o.getAttribute('aria-selected') === 'true')
    expect(on()).toBe(0)
    await user.keyboard('{ArrowUp}')
    expect(on()).toBe(screen.getAllByRole('option').length - 1)
    await user.keyboard('{ArrowDown}{ArrowDown}')
    expect(on()).toBe(1)
    await user.keyboard('{Escape}')
    await waitFor(() => expect(screen.queryByRole('combobox')).toBeNull())
  })
})

describe('job notices', () => {
  it('tells when a job ends, with the way to what it made', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true })
    let state: Job['state'] = 'running'
    serve({ 'GET /api/jobs': () => json({ items: [job(state)] }) })
    open()
    await screen.findByRole('button', { name: '1 个任务进行中' })
    state = 'succeeded'
    await act(() => vi.advanceTimersByTimeAsync(2100))
    expect(await screen.findByText('已完成：导入 orders.csv')).toBeTruthy()
    await userEvent.setup({ advanceTimers: vi.advanceTimersByTime }).click(screen.getByRole('button', { name: '查看' }))
    expect((await screen.findByTestId('where')).textContent).toBe('/imports/i1')
  })
})
