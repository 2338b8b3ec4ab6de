import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Segment } from '@/shared/api/types'
import { loadNamespaces } from '@/shared/i18n/i18n'
import { renderPage, someone } from '../../../../test/render'
import { json, problem, serve } from '../../../../test/server'
import { AddPeople } from '../components/AddPeople'
import EditSegmentPage from './EditSegmentPage'
import OverlapPage from './OverlapPage'
import { SegmentPage } from './SegmentPage'
import SegmentsPage from './SegmentsPage'

const segment = (over: Partial<Segment> = {}): Segment => ({
  id: 'sg_1', name: '老客', kind: 'dynamic', status: 'ready', version: 1, members: 1234,
  createdBy: { id: 'u1', name: '沈知夏' }, createdAt: '2026-03-01T00:00:00Z', changedAt: '2026-03-01T00:00:00Z', ...over,
})
const growth = { days: [{ day: '2026-03-01', size: 1200, entered: 0, left: 0 }, { day: '2026-03-02', size: 1234, entered: 40, left: 6 }], marks: [], entered: 40, left: 6 }
const writer = someone({ permissions: ['segment.read', 'segment.write', 'contact.read'] })
const reader = someone({ permissions: ['segment.read', 'contact.read'] })

beforeEach(() => loadNamespaces('segments', 'rules'))
afterEach(() => {
  vi.unstubAllGlobals()
})

describe('list of segments', () => {
  it('shows how many, what changed in a week, and how far work has come', async () => {
    serve({
      'GET /api/segments': () => json({ items: [segment(), segment({ id: 'sg_2', name: '新客', status: 'working', progress: 0.4 })], folders: [] }),
      'GET /api/segments/sg_1/growth': () => json(growth),
      'GET /api/segments/sg_2/growth': () => json({ ...growth, hidden: true, days: [] }),
    })
    renderPage(<SegmentsPage />, { at: '/segments', path: '/segments', me: writer })
    expect((await screen.findByRole('link', { name: /老客/ })).getAttribute('href')).toBe('/segments/sg_1')
    expect(screen.getAllByText('1,234')).toHaveLength(2)
    await waitFor(() => expect(document.querySelector('.kp-change')?.textContent).toBe('+34'))
    expect(screen.getByRole('progressbar', { name: '计算中' }).getAttribute('aria-valuenow')).toBe('40')
  })
  it('teaches when there is none, and offers nothing that changes to those who may only read', async () => {
    serve({ 'GET /api/segments': () => json({ items: [], folders: [] }) })
    const first = renderPage(<SegmentsPage />, { at: '/segments', path: '/segments', me: writer })
    expect((await screen.findByRole('link', { name: /加了购物车没有付款/ })).getAttribute('href')).toBe('/segments/new?template=cart')
    first.unmount()
    renderPage(<SegmentsPage />, { at: '/segments', path: '/segments', me: reader })
    await screen.findByText('还没有人群')
    expect(screen.queryByRole('link', { name: /加了购物车/ })).toBeNull()
    expect(screen.queryByRole('button', { name: /新建/ })).toBeNull()
  })
})

describe('writing a segment', () => {
  const base = {
    'GET /api/contacts/fields': () => json({ items: [{ field: 'birthday', label: '生日', group: 'person', type: 'date', ops: ['anniversary', 'set'] }] }),
    'GET /api/rules/events': () => json({ items: [] }),
  }
  const estimate = { count: 12, total: 400, percent: 3, sample: [{ id: 'ct_1', name: '陈雨桐', kind: 'person', tags: [], orders: 0, revenue: [], createdAt: '2026-03-01T00:00:00Z' }], sentence: '生日的周年在未来 7 天内', asOf: '2026-03-01T00:00:00Z' }

  it('begins with a template, estimates, keeps the last number greyed while the next is worked out, and saves what is written', async () => {
    let let2: (r: Response) => void = () => undefined
    const seen = serve({
      ...base,
      'POST /api/rules/estimate': ({ body }) => (JSON.stringify(body).includes('"value":73') ? new Promise<Response>((r) => (let2 = r)) : json(estimate)),
      'POST /api/segments': () => json({ segment: segment({ id: 'sg_9' }) }),
    })
    const user = userEvent.setup()
    renderPage(<EditSegmentPage />, { at: '/segments/new?template=birthday', path: '/segments/new', me: writer })
    const number = await screen.findByTestId('estimate')
    expect(number.textContent).toBe('12')
    expect(screen.getByText('占 400 位客户的 3.00%')).toBeTruthy()
    expect(screen.getByRole('link', { name: '陈雨桐' })).toBeTruthy()
    await user.type(await screen.findByRole('spinbutton', { name: '值' }), '3')
    await waitFor(() => expect(seen.filter((s) => s.path === '/api/rules/estimate')).toHaveLength(2))
    expect(number.textContent).toBe('12')
    expect(number.closest('[aria-busy]')?.getAttribute('aria-busy')).toBe('true')
    let2(json({ ...estimate, count: 31 }))
    await waitFor(() => expect(screen.getByTestId('estimate').textContent).toBe('31'))
    await user.click(screen.getByRole('button', { name: '保存' }))
    expect((await screen.findByTestId('where')).textContent).toBe('/segments/sg_9')
    expect(seen.find((s) => s.method === 'POST' && s.path === '/api/segments')?.body).toEqual({ name: '生日在下周', note: '', folder: '', kind: 'dynamic', rule: { v: 1, all: [{ field: 'birthday', op: 'anniversary', value: 73 }] } })
  })

  it('shows what a sample says until everybody is counted', async () => {
    let counted: (r: Response) => void = () => undefined
    serve({
      ...base,
      'POST /api/rules/estimate': ({ body }) =>
        (body as { exact?: boolean }).exact ? new Promise<Response>((r) => (counted = r)) : json({ ...estimate, count: 81_320, total: 1_000_000, about: true, margin: 1_480 }),
    })
    renderPage(<EditSegmentPage />, { at: '/segments/new?template=birthday', path: '/segments/new', me: writer })
    expect((await screen.findByTestId('estimate')).textContent).toBe('≈ 81,320')
    expect(screen.getByText(/误差不超过 1,480 人/)).toBeTruthy()
    counted(json({ ...estimate, count: 81_007, total: 1_000_000, about: false, margin: 0 }))
    await waitFor(() => expect(screen.getByTestId('estimate').textContent).toBe('81,007'))
    expect(screen.queryByText(/误差不超过/)).toBeNull()
  })

  it('shows at the condition what the server refuses, and does not save it', async () => {
    serve({ ...base, 'POST /api/rules/estimate': () => problem(422, 'request.invalid', '有误', [{ path: 'rule.all[0].value', code: 'rule.needs_days', detail: '请填写 1 到 366 之间的天数。' }]) })
    renderPage(<EditSegmentPage />, { at: '/segments/new?template=birthday', path: '/segments/new', me: writer })
    await waitFor(() => expect(screen.getAllByRole('alert').some((a) => a.closest('[data-part]') !== null && a.textContent?.includes('366'))).toBe(true))
    expect(screen.getByRole<HTMLButtonElement>('button', { name: '保存' }).disabled).toBe(true)
  })

  it('says at the name that it is taken', async () => {
    serve({ ...base, 'POST /api/rules/estimate': () => json(estimate), 'POST /api/segments': () => problem(409, 'audience.name_taken', '名称已被占用', [{ path: 'name', code: 'audience.name_taken', detail: '已有同名的人群。' }]) })
    const user = userEvent.setup()
    renderPage(<EditSegmentPage />, { at: '/segments/new?template=birthday', path: '/segments/new', me: writer })
    await screen.findByTestId('estimate')
    await user.click(screen.getByRole('button', { name: '保存' }))
    expect((await screen.findByText('已有同名的人群。')).closest('label')?.textContent).toContain('名称')
  })
})

it('reports the lines of a list that named nobody', async () => {
  const seen = serve({
    'POST /api/segments/sg_1/members': () => json({ event: { id: 'e1', at: '2026-03-01T00:00:00Z', action: 'added', came: 1, went: 0, detail: { unknown: 1 } }, unknown: [{ line: 2, reason: 'x', message: '没有这位客户' }] }),
  })
  const user = userEvent.setup()
  renderPage(<AddPeople segment={segment({ kind: 'static' })} onClose={() => undefined} />, { at: '/s', path: '/s', me: writer })
  await user.click(await screen.findByRole('textbox', { name: '每行一位客户' }))
  await user.paste('13800000000\n\n nobody ')
  await user.click(screen.getByRole('button', { name: '加入名单' }))
  expect(await screen.findByText('没有这位客户')).toBeTruthy()
  expect(screen.getByText('加入 1 位，移出 0 位')).toBeTruthy()
  expect(seen[0]?.body).toEqual({ lines: ['13800000000', 'nobody'], kind: 'auto' })
})

it('shows every part of an overlap with the way to its people', async () => {
  const rule = { v: 1, all: [{ field: 'segment', op: 'in', value: ['a'] }, { field: 'segment', op: 'in', value: ['b'] }] }
  serve({
    'GET /api/segments': () => json({ items: [segment({ id: 'a', name: '甲' }), segment({ id: 'b', name: '乙' })], folders: [] }),
    'POST /api/segments/overlap': () =>
      json({
        any: 9, every: 2,
        segments: [{ id: 'a', name: '甲', members: 5, only: 3 }, { id: 'b', name: '乙', members: 6, only: 4 }],
        areas: [{ in: ['a', 'b'], out: [], count: 2, rule }, { in: ['a'], out: ['b'], count: 3, rule }, { in: ['b'], out: ['a'], count: 0, rule }],
      }),
  })
  renderPage(<OverlapPage />, { at: '/segments/overlap?ids=a,b', path: '/segments/overlap', me: reader })
  const table = await screen.findByRole('table', { name: '各部分人数' })
  expect(within(table).getAllByRole('row')).toHaveLength(3) // the head, and the parts that anybody is in
  const link = within(table).getByRole('link', { name: '甲 ∩ 乙：2 位，打开名单' })
  expect(JSON.parse(new URLSearchParams(link.getAttribute('href')!.split('?')[1]).get('where')!)).toEqual(rule)
})

describe('one segment', () => {
  const uses = [{ kind: 'view', id: 'vw_1', name: '我的老客' }, { kind: 'webhook', id: 'wh_1', name: 'CRM', link: '/webhooks/wh_1' }]
  const base = {
    'GET /api/segments/sg_1': () => json(segment()),
    'GET /api/segments/sg_1/growth': () => json(growth),
    'GET /api/segments/sg_1/uses': () => json({ items: uses }),
  }
  const open = (at = '/segments/sg_1?tab=why', me = writer) => renderPage(<SegmentPage people={() => null} />, { at, path: '/segments/:id', me })

  it('names in its question where it is used, and archives anyway only once that was shown', async () => {
    let used = true
    const seen = serve({ ...base, 'GET /api/segments/sg_1/uses': () => json({ items: used ? uses : [] }), 'POST /api/segments/sg_1/archive': () => json(segment({ status: 'archived' })) })
    const user = userEvent.setup()
    open()
    const ask = async () => {
      await user.click(await screen.findByRole('button', { name: '更多操作' }))
      await user.click(await screen.findByRole('menuitem', { name: '归档' }))
      return within(await screen.findByRole('dialog'))
    }
    const first = await ask()
    expect(first.getByText(/有 2 处正在使用它/)).toBeTruthy()
    expect(first.getByRole('list', { name: '用在哪里' }).textContent).toBe('视图 我的老客回调 CRM')
    await user.click(first.getByRole('button', { name: '仍要归档' }))
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
    used = false
    const second = await ask()
    expect(second.queryByText(/正在使用/)).toBeNull()
    await user.click(second.getByRole('button', { name: '归档' }))
    await waitFor(() => expect(seen.filter((s) => s.method === 'POST').map((s) => s.body)).toEqual([{ anyway: true }, { anyway: false }]))
  })

  it('says since when somebody is in, and when the rule says otherwise by now', async () => {
    const verdict = { path: 'rule', kind: 'condition', holds: false, sentence: '累计订单至少 2' }
    serve({
      ...base,
      'GET /api/contacts/ct_1': () => json({ id: 'ct_1', name: '陈雨桐', kind: 'person', tags: [] }),
      'GET /api/segments/sg_1/explain': ({ query }) => json({ member: true, since: query.contact === 'ct_1' ? '2026-03-02T02:00:00Z' : undefined, why: { holds: false, rule: verdict, sentence: '' } }),
    })
    const page = open('/segments/sg_1?tab=why&person=ct_1')
    expect(await screen.findByText('在人群里')).toBeTruthy()
    expect(screen.getByText(/进入时间/).textContent).toMatch(/2026.*10:00/)
    expect(screen.getByText(/成员会在几秒内更新/)).toBeTruthy()
    expect(screen.getByRole('img', { name: '不符合' })).toBeTruthy()
    page.unmount()
    open('/segments/sg_1?tab=why&person=ct_2')
    expect(await screen.findByText('由条件的定义带入，没有进入记录')).toBeTruthy()
  })

  it('says since when it is counted while there is no line to draw', async () => {
    serve({ ...base })
    open()
    expect(await screen.findByText('从 2026-03-01 开始统计，第三天起画成曲线。')).toBeTruthy()
    expect(screen.getByText('进入 40 · 离开 6')).toBeTruthy()
    expect(screen.queryByRole('radio', { name: '90 天' })).toBeNull()
  })
})
