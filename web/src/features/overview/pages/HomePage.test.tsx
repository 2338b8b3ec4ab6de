import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Overview, OverviewKpi } from '@/shared/api/types'
import { loadNamespaces } from '@/shared/i18n/i18n'
import { renderPage, someone } from '../../../../test/render'
import { json, problem, serve, type Seen } from '../../../../test/server'
import HomePage from './HomePage'

// Drawing needs a canvas, which jsdom does not have; the numbers are what is tested here.
vi.mock('@/shared/ui/ChartCanvas', () => ({ default: () => null }))

const FROM = '2026-02-06T16:00:00.000Z'
const TO = '2026-03-08T16:00:00.000Z'

const kpi = (key: OverviewKpi['key'], unit: OverviewKpi['unit'], value: number, previous: number | undefined, people: string): OverviewKpi => ({
  key,
  unit,
  value,
  previous,
  spark: [1, 2, 3],
  people,
})

const pond = (overrides: Partial<Overview> = {}): Overview => ({
  from: FROM,
  to: TO,
  timezone: 'Asia/Shanghai',
  currency: 'CNY',
  currencies: ['CNY', 'USD'],
  updatedAt: '2026-03-08T06:30:00Z',
  kpis: [
    kpi('size', 'people', 18342, 17110, 'size'),
    kpi('new', 'people', 1232, 1100, 'new'),
    kpi('active', 'people', 9120, 9480, 'active'),
    kpi('orders', 'count', 7618, 0, 'buyers'),
    kpi('revenue', 'money', 100983850, 90000000, 'buyers'),
    kpi('averageOrder', 'money', 13256, undefined, 'buyers'),
    kpi('repeatRate', 'ratio', 0.234, 0.246, 'repeat'),
  ],
  trend: {
    buckets: ['2026-03-06T16:00:00Z', '2026-03-07T16:00:00Z'],
    interval: 'day',
    series: [
      { key: 'active', values: [10, 30] },
      { key: 'revenue', values: [100000, 300000] },
    ],
  },
  channels: [
    { channel: 'social', size: 900, new: 30, active: 400, buyers: 200, orders: 260, revenue: 3600000, averageOrder: 13800, repeatRate: 0.3 },
    { channel: 'offline', size: 300, new: 10, active: 100, buyers: 0, orders: 0, revenue: 0, averageOrder: 0, repeatRate: 0 },
  ],
  events: [{ name: 'page.viewed', displayName: '浏览页面', count: 48211, people: 8211 }],
  advice: [{ code: 'unknown_channel', params: { count: 120, share: 0.31 }, severity: 'info', link: '/people?metric=new&channel=unknown' }],
  ...overrides,
})

const empty = pond({
  kpis: pond().kpis.map((k) => ({ ...k, value: 0, previous: undefined })),
  channels: [],
  events: [],
  advice: [],
})

const me = someone({ permissions: ['overview.read', 'contact.read', 'import.write', 'keys.write', 'facts.read'] })

function open(answer: (seen: Seen) => Response, { at = '/home', as = me } = {}) {
  const seen = serve({ 'GET /api/overview': answer })
  return { seen, ...renderPage(<HomePage />, { at, path: '/home', me: as }) }
}

/** Where a link leads, as [path, parameters]. */
function target(link: HTMLElement) {
  const url = new URL(link.getAttribute('href') ?? '', 'http://x')
  return [url.pathname, Object.fromEntries(url.searchParams)]
}

beforeEach(() => loadNamespaces('overview'))
afterEach(() => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

describe('home', () => {
  it('opens the people behind every figure, counted over exactly what the figure was', async () => {
    open(() => json(pond()))
    const figures = within(await screen.findByRole('region', { name: '关键数字' }))
    const links = figures.getAllByRole('link')
    const span = { from: FROM, to: TO }
    expect(links.map(target)).toEqual([
      ['/people', { metric: 'size', ...span }],
      ['/people', { metric: 'new', ...span }],
      ['/people', { metric: 'active', ...span }],
      ['/people', { metric: 'buyers', ...span, currency: 'CNY' }],
      ['/people', { metric: 'buyers', ...span, currency: 'CNY' }],
      ['/people', { metric: 'buyers', ...span, currency: 'CNY' }],
      ['/people', { metric: 'repeat', ...span, currency: 'CNY' }],
    ])
    expect(figures.getByRole('link', { name: /锦池规模 18,342/ })).toBeTruthy()
  })

  it('carries the channel into the question and into the links', async () => {
    const { seen } = open(() => json(pond()), { at: '/home?channel=social&range=7d' })
    const link = await screen.findByRole('link', { name: /新增客户 1,232/ })
    expect(target(link)[1]).toMatchObject({ channel: 'social' })
    expect(seen[0]?.query).toMatchObject({ channel: 'social' })
    expect(Date.parse(seen[0]?.query.to ?? '') - Date.parse(seen[0]?.query.from ?? '')).toBe(7 * 86_400_000)
  })

  it('opens a channel’s people, and offers nothing behind a zero', async () => {
    open(() => json(pond()))
    const table = within(await screen.findByRole('table', { name: '渠道质量' }))
    expect(target(table.getByRole('link', { name: '查看社交媒体的复购率：30.0%' }))[1]).toMatchObject({ metric: 'repeat', channel: 'social' })
    expect(table.queryByRole('link', { name: /线下的下单客户/ })).toBeNull()
  })

  it('gives advice the period on screen', async () => {
    open(() => json(pond()))
    const link = await screen.findByRole('link', { name: /来源不清的客户偏多/ })
    expect(target(link)).toEqual(['/people', { metric: 'new', channel: 'unknown', from: FROM, to: TO }])
    expect(screen.getByText(/120 位看不出从哪里来，占 31.0%/)).toBeTruthy()
  })

  it('says how figures moved with sign and unit', async () => {
    open(() => json(pond()))
    const card = async (name: RegExp) => within(await screen.findByRole('link', { name }))
    expect((await card(/新增客户/)).getByText('+12.0%')).toBeTruthy()
    expect((await card(/活跃客户 9/)).getByText('−3.8%')).toBeTruthy()
    expect((await card(/复购率 23/)).getByText('−1.2 个百分点')).toBeTruthy()
    expect((await card(/订单数/)).getByText('+新出现')).toBeTruthy()
    expect((await card(/客单价 ¥132/)).queryByText(/%|新出现/)).toBeNull()
  })

  it('shows how an empty pond can begin, as far as the reader may', async () => {
    open(() => json(empty), { as: someone({ permissions: ['overview.read', 'import.write'] }) })
    expect(await screen.findByText('锦池还是空的')).toBeTruthy()
    expect(screen.getByRole('button', { name: '上传文件' })).toBeTruthy()
    expect(screen.queryByRole('button', { name: '创建写入密钥' })).toBeNull()
    expect(screen.getByText('koipond demo')).toBeTruthy()
  })

  it('does not call a channel without people an empty pond', async () => {
    open(() => json(empty), { at: '/home?channel=partner' })
    expect(await screen.findByRole('region', { name: '关键数字' })).toBeTruthy()
    expect(screen.queryByText('锦池还是空的')).toBeNull()
  })

  it('says what went wrong and tries again', async () => {
    let calls = 0
    open(() => (calls++ === 0 ? problem(400, 'analytics.down', '分析库暂时不可用。') : json(pond())))
    expect(await screen.findByText('分析库暂时不可用。')).toBeTruthy()
    await userEvent.click(screen.getByRole('button', { name: '重试' }))
    expect(await screen.findByRole('region', { name: '关键数字' })).toBeTruthy()
  })

  it('shows a refusal as one', async () => {
    open(() => problem(403, 'auth.forbidden', '你的角色没有这项权限。'))
    expect(await screen.findByText('没有权限')).toBeTruthy()
  })

  it('switches the line, and does not sum people over days', async () => {
    open(() => json(pond()))
    expect(await screen.findByText('日均 20')).toBeTruthy()
    expect(screen.queryByText(/^合计/)).toBeNull()
    await userEvent.click(screen.getByRole('radio', { name: '收入' }).closest('label')!)
    expect(await screen.findByText('合计 ¥4,000')).toBeTruthy()
  })

  it('keeps looking while the demo fills', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true })
    const { seen } = open(() => json(empty), { as: someone({ ...me, demo: { state: 'filling', done: 1, total: 2 } }) })
    await screen.findByRole('region', { name: '关键数字' })
    const before = seen.length
    await vi.advanceTimersByTimeAsync(3100)
    await waitFor(() => expect(seen.length).toBeGreaterThan(before))
    expect(screen.queryByText('锦池还是空的')).toBeNull()
  })
})
