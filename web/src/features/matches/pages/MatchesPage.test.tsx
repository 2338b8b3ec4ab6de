import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Match, MatchFace } from '@/shared/api/types'
import { loadNamespaces } from '@/shared/i18n/i18n'
import { renderPage, someone } from '../../../../test/render'
import { json, problem, serve } from '../../../../test/server'
import MatchesPage from './MatchesPage'

const face = (id: string, name: string, phone: string): MatchFace => ({
  id,
  name,
  kind: 'person',
  phone,
  tags: [],
  orders: 0,
  revenue: [],
  createdAt: '2026-03-01T00:00:00Z',
  birthday: '1988-03-12',
  identities: [{ id: `i${id}`, kind: 'phone', value: phone, masked: true, firstSeenAt: '2026-03-01T00:00:00Z', lastSeenAt: '2026-03-01T00:00:00Z', source: 'crm' }],
})

const pair = (id: string, a: string, b: string, over: Partial<Match> = {}): Match => ({
  id,
  score: 97,
  state: 'open',
  a: face(`${id}a`, a, '138****8000'),
  b: face(`${id}b`, b, '138****8001'),
  evidence: [
    { field: 'name', level: 'latin', bits: 9.1 },
    { field: 'phone', level: 'digit', bits: 16 },
    { field: 'gender', level: 'different', bits: -4 },
  ],
  foundAt: '2026-03-02T00:00:00Z',
  ...over,
})

const summary = {
  open: 2,
  postponed: 0,
  merged: 12,
  rejected: 1,
  bands: [{ from: 95, to: 99, right: 18, wrong: 2, open: 2 }],
  last: { at: '2026-03-02T00:00:00Z', full: true, people: 100, read: 100, compared: 40, found: 2, skipped: 0, seconds: 1 },
  learned: { learned: false, pairs: 0, twins: 0 },
}

const two = [pair('p1', '陈思远', 'Chen Siyuan'), pair('p2', '欧阳雪', '欧阳血')]
const routes = {
  'GET /api/matches': () => json({ items: two, total: 2 }),
  'GET /api/matches/summary': () => json(summary),
  'GET /api/jobs': () => json({ items: [] }),
}
const writer = someone({ permissions: ['contact.read', 'contact.write', 'jobs.read', 'jobs.write'] })
const open = (at = '/matches', me = writer) => renderPage(<MatchesPage />, { at, path: '/matches', me })

beforeEach(() => loadNamespaces('matches'))
afterEach(() => {
  vi.unstubAllGlobals()
})

describe('possible duplicates', () => {
  it('shows both people with the evidence in words and what past reviews say', async () => {
    serve(routes)
    open()
    const card = await screen.findByRole('article', { name: /陈思远.*Chen Siyuan.*97/ })
    expect(within(card).getByText('同名，一个是拼音')).toBeTruthy()
    expect(within(card).getByText('差一位，或相邻两位颠倒')).toBeTruthy()
    expect(within(card).getByText('过往 90% 正确')).toBeTruthy()
    expect([...card.querySelectorAll('mark')].map((m) => m.textContent)).toContain('1')
  })

  it('acts by keys on the current pair', async () => {
    const seen = serve({
      ...routes,
      'POST /api/matches/p2/reject': () => new Response(null, { status: 204 }),
      'POST /api/matches/p1/merge': () => new Response(null, { status: 204 }),
      'POST /api/matches/p1/postpone': () => new Response(null, { status: 204 }),
    })
    open()
    await screen.findByRole('article', { name: /陈思远/ })
    await userEvent.keyboard('j')
    await userEvent.keyboard('r')
    await waitFor(() => expect(seen.some((s) => s.path === '/api/matches/p2/reject')).toBe(true))
    await screen.findByText('已排除，这一对不会再出现')
    await userEvent.keyboard('k')
    await userEvent.keyboard('m')
    await waitFor(() => expect(seen.some((s) => s.path === '/api/matches/p1/merge')).toBe(true))
    await screen.findByText('已合并', { selector: '.ant-message *' })
    await userEvent.keyboard('l')
    await waitFor(() => {
      const until = (seen.find((s) => s.path === '/api/matches/p1/postpone')?.body as { until: string } | undefined)?.until ?? ''
      expect(Math.round((Date.parse(until) - Date.now()) / 86_400_000)).toBe(7)
    })
  })

  it('offers no decision to those who may only look', async () => {
    const seen = serve(routes)
    open('/matches', someone({ permissions: ['contact.read'] }))
    await screen.findByRole('article', { name: /陈思远/ })
    expect(screen.queryByRole('button', { name: /^合并/ })).toBeNull()
    await userEvent.keyboard('m')
    expect(seen.every((s) => s.method === 'GET')).toBe(true)
  })

  it('tells never looked from nothing found, and nothing that matches', async () => {
    serve({ ...routes, 'GET /api/matches': () => json({ items: [], total: 0 }), 'GET /api/matches/summary': () => json({ ...summary, last: undefined }) })
    const first = open()
    expect(await screen.findByText('还没有查找过')).toBeTruthy()
    first.unmount()
    serve({ ...routes, 'GET /api/matches': () => json({ items: [], total: 0 }) })
    const second = open()
    expect(await screen.findByText('没有疑似重复')).toBeTruthy()
    second.unmount()
    open('/matches?score=99')
    expect(await screen.findByText('没有符合条件的结果')).toBeTruthy()
  })

  it('shows a denial as one', async () => {
    serve({ ...routes, 'GET /api/matches': () => problem(403, 'permission.denied', '没有权限') })
    open()
    expect((await screen.findByRole('alert')).textContent).toContain('没有权限')
  })

  it('merges in bulk what it showed the count of', async () => {
    const seen = serve({ ...routes, 'POST /api/matches/merge': () => problem(409, 'match.count_changed', '名单已变化：现在是 3 对。') })
    open()
    await screen.findByRole('article', { name: /陈思远/ })
    await userEvent.click(screen.getByRole('button', { name: '批量合并' }))
    await userEvent.click(await screen.findByRole('button', { name: '合并 2 对' }))
    expect(await screen.findByText('名单已变化：现在是 3 对。')).toBeTruthy()
    expect(seen.find((s) => s.method === 'POST')?.body).toEqual({ minScore: 99, expected: 2 })
  })
})
