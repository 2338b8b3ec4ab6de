import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Contact, TimelineFact } from '@/shared/api/types'
import { loadNamespaces } from '@/shared/i18n/i18n'
import { renderPage, someone } from '../../../../test/render'
import { json, problem, serve } from '../../../../test/server'
import { ContactPage } from './ContactPage'

const contact: Contact = {
  id: 'c1',
  name: '陈雨桐',
  kind: 'person',
  phone: '138****2071',
  tags: [{ id: 't1', name: '绿茶', group: '偏好', color: '#14b8a6' }],
  orders: 2,
  revenue: [{ amount: 65600, currency: 'CNY' }],
  createdAt: '2026-03-01T00:00:00Z',
  attributes: [{ key: 'address', label: '地址', value: '****', masked: true }],
  identities: [
    { id: 'i1', kind: 'phone', value: '138****2071', masked: true, firstSeenAt: '2026-03-01T00:00:00Z', lastSeenAt: '2026-03-02T00:00:00Z', source: 'shop' },
    { id: 'i2', kind: 'member_no', value: 'SY0001', firstSeenAt: '2026-03-01T00:00:00Z', lastSeenAt: '2026-03-02T00:00:00Z', source: 'shop' },
  ],
  averageOrder: [{ amount: 32800, currency: 'CNY' }],
  facts: 2,
  mergedFrom: [{ id: 'c0', at: '2026-03-02T00:00:00Z', why: 'identify:phone' }],
  conflicts: [],
}

const fact = (id: string, timestamp: string, overrides: Partial<TimelineFact> = {}): TimelineFact => ({
  id,
  timestamp,
  receivedAt: timestamp,
  name: 'coupon_claimed',
  title: '领取优惠券',
  type: 'track',
  source: 'shop',
  properties: { coupon: '满减' },
  ...overrides,
})

const timeline = { items: [fact('f1', '2026-03-08T16:30:00Z'), fact('f2', '2026-03-08T15:30:00Z')] }
const notes = {
  items: [
    { id: 'n1', text: '喜欢清淡口味', author: { id: 'u1', name: '沈知夏' }, createdAt: '2026-03-08T00:00:00Z' },
    { id: 'n2', text: '关心发票抬头', author: { id: 'u2', name: '顾清和' }, createdAt: '2026-03-07T00:00:00Z' },
  ],
}
const routes = {
  'GET /api/contacts/c1': () => json(contact),
  'GET /api/contacts/c1/timeline': () => json(timeline),
  'GET /api/contacts/c1/notes': () => json(notes),
  'GET /api/contacts/c1/looks': () => json({ items: [{ at: '2026-03-08T00:00:00Z', by: { id: 'u2', name: '顾清和' }, kind: 'unmasked', field: 'phone', reason: '回访' }] }),
}
const writer = someone({ permissions: ['contact.read', 'contact.write', 'contact.unmask'] })
const open = (at = '/contacts/c1', me = writer) => renderPage(<ContactPage attributes={() => null} tabs={[{ key: 'orders', label: () => '订单', show: () => <p>orders</p> }]} />, { at, path: '/contacts/:id', me })

beforeEach(() => loadNamespaces('contacts'))
afterEach(() => {
  vi.unstubAllGlobals()
})

describe('profile', () => {
  it('groups the timeline by the company’s days and opens a fact', async () => {
    serve(routes)
    open()
    expect(await screen.findByText(/3月9日/)).toBeTruthy()
    expect(screen.getByText(/3月8日/)).toBeTruthy()
    const first = screen.getAllByRole('button', { name: /领取优惠券/ })[0]!
    await userEvent.click(first)
    expect(first.getAttribute('aria-expanded')).toBe('true')
    expect(screen.getByText('coupon_claimed')).toBeTruthy()
  })

  it('asks for the filters in the address and tells nothing found from nothing yet', async () => {
    const seen = serve({ ...routes, 'GET /api/contacts/c1/timeline': () => json({ items: [] }) })
    open('/contacts/c1?events=order.paid,page.viewed&dayFrom=2026-03-01&dayTo=2026-03-01')
    expect(await screen.findByText('没有符合条件的结果')).toBeTruthy()
    expect(seen.find((s) => s.path.endsWith('/timeline'))?.query).toEqual({ names: 'order.paid,page.viewed', from: '2026-02-28T16:00:00.000Z', to: '2026-03-01T16:00:00.000Z' })
  })

  it('shows a hidden value after a reason, to those who may', async () => {
    const seen = serve({ ...routes, 'POST /api/contacts/c1/unmask': () => json({ value: '13812342071' }) })
    const user = userEvent.setup()
    open()
    await user.click(await screen.findByRole('button', { name: '查看完整手机号' }))
    await user.click(await screen.findByLabelText('查看原因'))
    await user.paste('客户来电核对')
    await user.click(screen.getByRole('button', { name: '查看' }))
    expect(await screen.findByText('13812342071')).toBeTruthy()
    expect(seen.find((s) => s.method === 'POST')?.body).toEqual({ field: 'i1', reason: '客户来电核对' })
  })

  it('offers no way to hidden values or changes without the permission', async () => {
    serve(routes)
    open('/contacts/c1', someone({ permissions: ['contact.read'] }))
    await screen.findByText('SY0001')
    expect(screen.queryByRole('button', { name: /查看完整/ })).toBeNull()
    expect(screen.queryByRole('button', { name: /去掉标签/ })).toBeNull()
    expect(screen.queryByRole('button', { name: '修改姓名' })).toBeNull()
  })

  it('takes a tag off and shows the server’s answer', async () => {
    const seen = serve({ ...routes, 'PUT /api/contacts/c1/tags': () => json({ ...contact, tags: [] }) })
    open()
    await userEvent.click(await screen.findByRole('button', { name: '去掉标签 绿茶' }))
    await waitFor(() => expect(screen.queryByText('绿茶')).toBeNull())
    expect(seen.find((s) => s.method === 'PUT')?.body).toEqual({ remove: ['t1'] })
  })

  it('lets people delete their own notes only', async () => {
    serve(routes)
    open('/contacts/c1?tab=notes')
    const mine = (await screen.findByText('喜欢清淡口味')).closest('li')!
    const other = screen.getByText('关心发票抬头').closest('li')!
    expect(within(mine).getByRole('button', { name: '删除备注' })).toBeTruthy()
    expect(within(other).queryByRole('button', { name: '删除备注' })).toBeNull()
  })

  it('says so when there is no such contact', async () => {
    serve({ 'GET /api/contacts/c1': () => problem(404, 'contact.not_found', '没有这个客户。') })
    open()
    expect(await screen.findByText('没有这个客户。')).toBeTruthy()
  })
})
