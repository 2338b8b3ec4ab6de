import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Webhook } from '@/shared/api/types'
import { loadNamespaces } from '@/shared/i18n/i18n'
import { renderPage, someone } from '../../../../test/render'
import { json, problem, serve, type Seen } from '../../../../test/server'
import WebhookPage from './WebhookPage'
import WebhooksPage from './WebhooksPage'

const hook = (over: Partial<Webhook> = {}): Webhook => ({
  id: 'wh_1', name: 'CRM', url: 'https://crm.example.com/in?key=1', segments: ['sg_1'], events: ['segment.entered', 'segment.left'], state: 'active', waiting: 0, dead: 0, sent: 1234,
  createdAt: '2026-03-01T00:00:00Z', changedAt: '2026-03-01T00:00:00Z', ...over,
})
const engineer = someone({ permissions: ['keys.read', 'keys.write', 'segment.read'] })
const reader = someone({ permissions: ['keys.read', 'segment.read'] })
const segments = { 'GET /api/segments': ({ query }: Seen) => json({ items: query.archived === 'true' ? [] : [{ id: 'sg_1', name: '老客' }], folders: [] }) }

beforeEach(() => loadNamespaces('webhooks'))
afterEach(() => {
  vi.unstubAllGlobals()
})

describe('list of webhooks', () => {
  const open = (me = engineer) => renderPage(<WebhooksPage />, { at: '/webhooks', path: '/webhooks', me })

  it('shows by host, never the whole address, and how each does', async () => {
    serve({ ...segments, 'GET /api/webhooks': () => json({ items: [hook(), hook({ id: 'wh_2', name: 'ERP', state: 'paused', fault: 'webhook.gone', message: '接收方返回 410', dead: 2 })] }) })
    open()
    expect((await screen.findByRole('link', { name: /CRM/ })).getAttribute('href')).toBe('/webhooks/wh_1')
    expect(screen.getAllByText('crm.example.com')).toHaveLength(2)
    expect(screen.queryByText(/key=1/)).toBeNull()
    expect(screen.getByText('已停止')).toBeTruthy()
    expect(await screen.findAllByText('老客')).toHaveLength(2)
  })

  it('makes one, and shows the secret this once with the code that verifies it', async () => {
    let made = false
    const seen = serve({
      ...segments,
      'GET /api/webhooks': () => json({ items: made ? [hook()] : [] }),
      'POST /api/webhooks': ({ body }) => {
        if ((body as { url: string }).url.includes('10.0.0.1')) return problem(422, 'request.invalid', '有误', [{ path: 'url', code: 'outbound.private', detail: '地址在内网。' }])
        made = true
        return json({ webhook: hook(), secret: 'whsec_once' })
      },
    })
    const user = userEvent.setup()
    open()
    await user.click(await screen.findByRole('button', { name: '新建回调' }))
    const form = within(await screen.findByRole('dialog'))
    const fill = async (label: string, text: string) => {
      await user.clear(form.getByLabelText(label))
      await user.click(form.getByLabelText(label))
      await user.paste(text)
    }
    await fill('名称', 'CRM')
    await fill('接收地址', 'http://10.0.0.1/')
    await user.click(form.getByRole('button', { name: '创建' }))
    expect(await form.findByText('地址在内网。')).toBeTruthy()
    await fill('接收地址', ' https://crm.example.com/in ')
    await user.click(form.getByRole('button', { name: '创建' }))
    expect(await screen.findByText('whsec_once')).toBeTruthy()
    expect(seen.filter((s) => s.method === 'POST').at(-1)?.body).toEqual({ name: 'CRM', url: 'https://crm.example.com/in', segments: [], events: ['segment.entered', 'segment.left'], liveOnly: true })
    expect(screen.getByText(/timingSafeEqual\(got, want\)/)).toBeTruthy()
    await user.click(screen.getByText('Python'))
    expect(await screen.findByText(/hmac\.compare_digest/)).toBeTruthy()
    await user.click(screen.getByRole('button', { name: '完成' }))
    expect((await screen.findByTestId('where')).textContent).toBe('/webhooks/wh_1')
  })

  it('teaches when there is none, and offers nothing to those who may only read', async () => {
    serve({ 'GET /api/webhooks': () => json({ items: [] }) })
    open(reader)
    await screen.findByText('还没有回调')
    expect(screen.queryByRole('button', { name: '新建回调' })).toBeNull()
  })

  it('says so to those who see some customers only', async () => {
    serve({ 'GET /api/webhooks': () => problem(403, 'auth.whole', '只能看到部分客户') })
    open(reader)
    expect(await screen.findByRole('alert')).toBeTruthy()
    expect(screen.queryByText('还没有回调')).toBeNull()
  })
})

describe('one webhook', () => {
  const dead = { id: 'wd_1', state: 'dead', events: 3, at: '2026-03-01T00:00:00Z', tries: 10, status: 503, fault: 'webhook.refused', message: '接收方返回了错误。' }
  const open = (me = engineer) => renderPage(<WebhookPage />, { at: '/webhooks/wh_1', path: '/webhooks/:id', me })

  it('says why deliveries were given up, and sends one or all of them again', async () => {
    const seen = serve({
      ...segments,
      'GET /api/webhooks/wh_1': () => json(hook({ dead: 1, fault: 'webhook.refused', message: '接收方返回了错误。' })),
      'GET /api/webhooks/wh_1/deliveries': ({ query }) => json({ items: query.state === 'dead' ? [dead] : [] }),
      'POST /api/webhooks/wh_1/deliveries/retry': () => json({ count: 1 }),
    })
    const user = userEvent.setup()
    open()
    const table = await screen.findByRole('table', { name: '发送情况' })
    expect(await within(table).findByText(/接收方返回了错误/)).toBeTruthy()
    expect(within(table).getByText('HTTP 状态 503')).toBeTruthy()
    await user.click(within(table).getByRole('button', { name: '重发' }))
    await user.click(screen.getByRole('button', { name: '全部重发' }))
    await waitFor(() => expect(seen.filter((s) => s.method === 'POST').map((s) => s.body)).toEqual([{ ids: ['wd_1'] }, {}]))
  })

  it('offers to try only the first of those that wait', async () => {
    const wait = (id: string, tries: number) => ({ ...dead, id, state: 'waiting', tries, next: '2026-03-01T01:00:00Z', ...(tries ? {} : { fault: undefined, message: undefined, status: undefined }) })
    serve({ ...segments, 'GET /api/webhooks/wh_1': () => json(hook({ waiting: 2 })), 'GET /api/webhooks/wh_1/deliveries': () => json({ items: [wait('wd_1', 2), wait('wd_2', 0)] }) })
    open()
    expect(await screen.findByText('排在前一批之后')).toBeTruthy()
    expect(screen.getAllByRole('button', { name: '立即重试' })).toHaveLength(1)
  })

  it('pauses after saying what that loses, goes on without asking, and keeps the rest as it is', async () => {
    let state: Webhook['state'] = 'active'
    const seen = serve({
      ...segments,
      'GET /api/webhooks/wh_1': () => json(hook({ state, liveOnly: true })),
      'GET /api/webhooks/wh_1/deliveries': () => json({ items: [] }),
      'PUT /api/webhooks/wh_1': ({ body }) => {
        state = (body as { paused: boolean }).paused ? 'paused' : 'active'
        return json(hook({ state }))
      },
    })
    const user = userEvent.setup()
    open()
    await user.click(await screen.findByRole('button', { name: '暂停' }))
    const ask = within(await screen.findByRole('dialog'))
    expect(ask.getByText(/恢复后也不会补发/)).toBeTruthy()
    await user.click(ask.getByRole('button', { name: '暂停' }))
    await user.click(await screen.findByRole('button', { name: '恢复' }))
    await screen.findByRole('button', { name: '暂停' })
    const rest = { name: 'CRM', url: 'https://crm.example.com/in?key=1', segments: ['sg_1'], events: ['segment.entered', 'segment.left'], liveOnly: true }
    expect(seen.filter((s) => s.method === 'PUT').map((s) => s.body)).toEqual([{ ...rest, paused: true }, { ...rest, paused: false }])
  })

  it('says what became of a test', async () => {
    let ok = false
    serve({
      ...segments,
      'GET /api/webhooks/wh_1': () => json(hook()),
      'GET /api/webhooks/wh_1/deliveries': () => json({ items: [] }),
      'POST /api/webhooks/wh_1/test': () => json(ok ? { ok: true, status: 204, ms: 31 } : { ok: false, status: 500, fault: 'webhook.refused', message: '接收方返回了错误。', ms: 12 }),
    })
    const user = userEvent.setup()
    open()
    await user.click(await screen.findByRole('button', { name: '发送测试' }))
    expect(await screen.findByText('测试未送达：HTTP 状态 500（12 毫秒）。接收方返回了错误。')).toBeTruthy()
    ok = true
    await user.click(screen.getByRole('button', { name: '发送测试' }))
    expect(await screen.findByText('测试已送达：HTTP 状态 204（31 毫秒）。')).toBeTruthy()
  })

  it('offers nothing that changes to those who may only read', async () => {
    serve({ ...segments, 'GET /api/webhooks/wh_1': () => json(hook({ dead: 1 })), 'GET /api/webhooks/wh_1/deliveries': () => json({ items: [dead] }) })
    open(reader)
    await screen.findByText('HTTP 状态 503')
    for (const name of ['发送测试', '暂停', '编辑', '更多', '重发', '全部重发']) expect(screen.queryByRole('button', { name })).toBeNull()
  })
})
