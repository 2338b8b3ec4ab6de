import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { LiveCode, LiveCodeRow } from '@/shared/api/types'
import { loadNamespaces } from '@/shared/i18n/i18n'
import { renderPage, someone } from '../../../../test/render'
import { json, problem, serve } from '../../../../test/server'
import CodePage from './CodePage'
import EditCodePage from './EditCodePage'
import LiveCodesPage from './LiveCodesPage'

const row = (over: Partial<LiveCodeRow> = {}): LiveCodeRow => ({
  id: 'lc_1', name: '南京路店', account: 'ac_1', state: 'active', members: 2, onDuty: 1, ready: true, today: 12, leftToday: 1, total: 340, by: '沈知夏',
  createdAt: '2026-03-01T00:00:00Z', changedAt: '2026-03-01T00:00:00Z', ...over,
})
const code = (over: Partial<LiveCode> = {}): LiveCode => ({
  ...row(), skips: true, waiting: 0, failed: 0, scannable: 'https://u.example/1',
  definition: {name: '南京路店', account: 'ac_1', members: [{ staff: 'wang' }, { staff: 'li', offline: true }], welcome: { text: '{customer}您好，我是{staff}' }, greet: 'own', verify: 'skip'},
  duties: [{ staff: 'wang', name: '王芳', on: true, today: 12 }, { staff: 'li', name: '李雷', on: false, out: 'offline', today: 0 }], ...over,
})
const options = { accounts: [{ id: 'ac_1', name: '山月茶业', colleagues: [{ id: 'wang', name: '王芳' }, { id: 'li', name: '李雷' }] }] }
const base = {
  'GET /api/live-code-folders': () => json({ items: [] }),
  'GET /api/live-codes/options': () => json(options),
  'GET /api/tags': () => json({ groups: [] }),
  'GET /api/pools': () => json({ states: [] }),
}
const writer = someone({ permissions: ['acquire.read', 'acquire.write', 'contact.read'] })
const reader = someone({ permissions: ['acquire.read'] })

beforeEach(() => loadNamespaces('livecodes', 'rules'))
afterEach(() => {
  vi.unstubAllGlobals()
})

describe('list of live codes', () => {
  it('shows how each does, and offers nothing that changes to those who may only read', async () => {
    serve({ ...base, 'GET /api/live-codes': () => json({ items: [row(), row({ id: 'lc_2', name: '徐汇店', fault: 'livecode.fault_permission', message: '应用无权操作' })], total: 2 }) })
    renderPage(<LiveCodesPage />, { at: '/live-codes', path: '/live-codes', me: reader })
    expect((await screen.findByRole('link', { name: /南京路店/ })).getAttribute('href')).toBe('/live-codes/lc_1')
    expect(screen.getByText('被企业微信拒绝')).toBeTruthy()
    expect(screen.queryByRole('button', { name: /新建活码/ })).toBeNull()
  })
  it('says what to do first where no account is connected', async () => {
    serve({ ...base, 'GET /api/live-codes/options': () => json({ accounts: [] }), 'GET /api/live-codes': () => json({ items: [], total: 0 }) })
    renderPage(<LiveCodesPage />, { at: '/live-codes', path: '/live-codes', me: writer })
    await screen.findByText('还没有连接企业微信')
    expect((screen.getByRole('button', { name: /新建活码/ }) as HTMLButtonElement).disabled).toBe(true)
  })
})

describe('one live code', () => {
  it('says who meets people and why others do not, and takes somebody out', async () => {
    const seen = serve({
      ...base,
      'GET /api/live-codes/lc_1': () => json(code()),
      'GET /api/live-codes/lc_1/stats': () => json({ from: '2026-03-01', to: '2026-03-30', total: zero, before: zero, days: [], staff: [], hours: [] }),
      'POST /api/live-codes/lc_1/members': () => json(code()),
    })
    const user = userEvent.setup()
    renderPage(<CodePage />, { at: '/live-codes/lc_1', path: '/live-codes/:id', me: writer })
    await screen.findByText('接待中')
    expect(screen.getByText('已下线')).toBeTruthy()
    await screen.findByText('还没有人扫码添加')
    await user.click(screen.getByRole('switch', { name: '王芳 上线' }))
    await waitFor(() => expect(seen.some((r) => r.path === '/api/live-codes/lc_1/members' && JSON.stringify(r.body) === '{"staff":"wang","offline":true}')).toBe(true))
  })
})

const kept = { of: 0, kept: 0 }
const zero = { adds: 0, people: 0, again: 0, byThem: 0, byUs: 0, left: 0, kept1: kept, kept7: kept, kept30: kept, welcomed: 0, notWelcomed: 0 }

describe('writing a live code', () => {
  it('shows the newcomer’s phone while it is written, and what the server refuses at its field', async () => {
    serve({
      ...base,
      'GET /api/live-codes/lc_1': () => json(code()),
      'PUT /api/live-codes/lc_1': () => problem(422, 'request.invalid', '请求有误', [{ path: 'welcome.text', code: 'livecode.text_too_long', detail: '文字太长' }]),
    })
    const user = userEvent.setup()
    renderPage(<EditCodePage />, { at: '/live-codes/lc_1/edit', path: '/live-codes/:id/edit', me: writer })
    await screen.findByText('张三您好，我是王芳')
    await user.type(screen.getByRole('textbox', { name: '欢迎语' }), '！')
    await screen.findByText('张三您好，我是王芳！')
    await user.click(screen.getByRole('button', { name: '保存' }))
    expect((await screen.findAllByText('文字太长')).length).toBeGreaterThan(1)
  })
})
