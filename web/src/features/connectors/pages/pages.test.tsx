import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { loadNamespaces } from '@/shared/i18n/i18n'
import { renderPage, someone } from '../../../../test/render'
import { json, serve } from '../../../../test/server'
import CallbacksPage from './CallbacksPage'
import ConnectorPage from './ConnectorPage'
import ConnectorsPage from './ConnectorsPage'

const kind = {
  name: 'wecom',
  label: '企业微信',
  base: 'https://qyapi.weixin.qq.com',
  callback: true,
  capabilities: [],
  fields: [
    { name: 'corpId', label: '企业 ID', help: '在“我的企业”页底部', secret: false, required: true },
    { name: 'secret', label: 'Secret', secret: true, required: true },
    { name: 'token', label: 'Token', secret: true, required: true, make: true },
  ],
  quotas: [{ name: 'api', most: 10000, per: 'minute', of: 'account', words: '单个接口的调用' }],
}

const account = {
  id: 'ac_1',
  kind: 'wecom',
  name: '总部',
  state: 'active',
  settings: { corpId: 'ww1' },
  secrets: ['secret', 'token'],
  createdAt: '2026-03-01T00:00:00Z',
  changedAt: '2026-03-01T00:00:00Z',
  callbackPath: '/hooks/wecom/ac_1',
  health: 'fail',
  findings: [
    { check: 'a', state: 'ok', code: 'b', title: '应用密钥', message: '可用' },
    { check: 'c', state: 'fail', code: 'd', title: '平台回调', message: '签名不正确', how: '重新复制 Token' },
  ],
  calls: [{ outcome: 'connector.bad_signature', message: '签名不正确', count: 3, firstAt: '2026-03-01T00:00:00Z', lastAt: '2026-03-01T00:00:00Z' }],
  inbox: { waiting: 0, held: 0, dead: 2 },
  quotas: [{ name: 'api', most: 10000, per: 'minute', of: 'account', words: '单个接口的调用', limit: 10000, used: 2500, full: 0, resetAt: '2026-03-01T00:01:00Z' }],
}

const callback = {
  id: 'cb_1',
  account: 'ac_1',
  kind: 'wecom',
  name: 'change_external_contact.add_external_contact',
  state: 'dead',
  at: '2026-03-01T00:00:00Z',
  tries: 8,
  repeats: 1,
  urgent: true,
  fault: 'x',
  message: '没有接口权限',
}

const all = ['connector.read', 'connector.write', 'contact.unmask']

beforeEach(() => loadNamespaces('connectors'))
afterEach(() => vi.unstubAllGlobals())

describe('accounts', () => {
  it('says what to do first when there is none, and takes the reader to the new account', async () => {
    const sent: unknown[] = []
    serve({
      'GET /api/connectors': () => json({ items: [] }),
      'GET /api/connectors/kinds': () => json({ items: [kind] }),
      'POST /api/connectors/kinds/wecom/fields/token/make': () => json({ value: 'made-up' }),
      'POST /api/connectors': (call) => {
        sent.push(call.body)
        return json(account)
      },
    })
    renderPage(<ConnectorsPage />, { at: '/connectors', path: '/connectors', me: someone({ permissions: all as never }) })
    await userEvent.click((await screen.findAllByRole('button', { name: '添加账号' }))[0]!)
    await userEvent.type(await screen.findByLabelText(/名称/), '总部')
    await userEvent.click(screen.getByRole('button', { name: '创建' }))
    expect((await screen.findAllByText('此项必填')).length).toBeGreaterThan(0)
    expect(sent).toEqual([])
    await userEvent.type(screen.getByLabelText(/企业 ID/), 'ww1')
    await userEvent.type(screen.getByLabelText(/Secret/), 'abc')
    await userEvent.click(screen.getByRole('button', { name: '生成Token' }))
    await waitFor(() => expect(screen.getByDisplayValue('made-up')).toBeTruthy())
    await userEvent.click(screen.getByRole('button', { name: '创建' }))
    await waitFor(() => expect(screen.getByTestId('where').textContent).toBe('/connectors/ac_1'))
    expect(sent).toEqual([{ kind: 'wecom', name: '总部', settings: { corpId: 'ww1' }, secrets: { secret: 'abc', token: 'made-up' } }])
  })
  it('shows what is worst first, the address to enter, and no secret', async () => {
    serve({ 'GET /api/connectors/ac_1': () => json(account), 'GET /api/connectors/kinds': () => json({ items: [kind] }) })
    renderPage(<ConnectorPage />, { at: '/connectors/ac_1', path: '/connectors/:id', me: someone({ permissions: ['connector.read'] as never }) })
    const list = await screen.findByRole('heading', { name: '平台回调' })
    const titles = screen.getAllByRole('heading', { level: 3 }).map((h) => h.textContent)
    expect(titles).toEqual(['平台回调', '应用密钥'])
    expect(within(list.parentElement!).getByText('修复办法：重新复制 Token')).toBeTruthy()
    expect(screen.getByTitle(/\/hooks\/wecom\/ac_1$/)).toBeTruthy()
    expect((await screen.findAllByText('已设置（不显示）')).length).toBe(2)
    expect(screen.queryByRole('button', { name: '删除' })).toBeNull()
    expect(screen.queryByRole('button', { name: '立即检查' })).toBeNull()
  })
})

describe('the inbox', () => {
  it('tells why something failed, opens it, and has it tried again', async () => {
    const replayed: unknown[] = []
    const reasons: unknown[] = []
    serve({
      'GET /api/connectors': () => json({ items: [account] }),
      'GET /api/connectors/inbox': () => json({ items: [callback] }),
      'GET /api/connectors/inbox/cb_1': () => json({ ...callback, subject: 'wm1', body: '<Name>王**</Name>', masked: true }),
      'POST /api/connectors/inbox/cb_1/reveal': (call) => {
        reasons.push(call.body)
        return json({ ...callback, subject: 'wm1', body: '<Name>王小明</Name>', masked: false })
      },
      'POST /api/connectors/inbox/replay': (call) => {
        replayed.push(call.body)
        return json({ count: 1 })
      },
    })
    renderPage(<CallbacksPage />, { at: '/callbacks', path: '/callbacks', me: someone({ permissions: all as never }) })
    expect(await screen.findByText('没有接口权限')).toBeTruthy()
    await userEvent.click(document.querySelector('.kp-fold')!)
    expect(await screen.findByText('<Name>王**</Name>')).toBeTruthy()
    await userEvent.click(screen.getByRole('button', { name: '查看完整内容' }))
    const dialog = await screen.findByRole('dialog')
    await userEvent.type(within(dialog).getByRole('textbox'), '客户来电')
    await userEvent.click(within(dialog).getByRole('button', { name: '查看完整内容' }))
    expect(await screen.findByText('<Name>王小明</Name>')).toBeTruthy()
    expect(reasons).toEqual([{ reason: '客户来电' }])
    await userEvent.click(screen.getByRole('button', { name: '重新处理' }))
    await waitFor(() => expect(replayed).toEqual([{ ids: ['cb_1'] }]))
  })
})
