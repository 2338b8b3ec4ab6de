import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { TrafficFinding } from '@/shared/api/types'
import { loadNamespaces } from '@/shared/i18n/i18n'
import { renderPage, someone } from '../../../../test/render'
import { json, problem, serve } from '../../../../test/server'
import TrafficPage from './TrafficPage'

const finding = (over: Partial<TrafficFinding> = {}): TrafficFinding => ({
  id: 'tf_1', kind: 'burst', measure: 'opens', subject: 'link:ab', title: '新品券', state: 'open', people: 90, fakes: 0,
  from: '2026-03-01T00:00:00Z', to: '2026-03-01T00:10:00Z', foundAt: '2026-03-01T01:00:00Z',
  evidence: { opens: 300, people: 90, limit: 100, network: 'n1', minutes: [{ key: '08:01', n: 300 }] }, ...over,
})
const base = {
  'GET /api/traffic': () => json({ items: [finding()] }),
  'GET /api/traffic/settings': () => json({ burst: 100, limits: [{ channel: '', percent: 15 }] }),
  'GET /api/traffic/tf_1': () => json(finding()),
  'GET /api/traffic/tf_1/people': () => json({ items: [{ id: 'ct_1', name: '' }] }),
  'GET /api/channels': () => json({ items: [] }),
}
const writer = someone({ permissions: ['acquire.read', 'acquire.write'] })
const reader = someone({ permissions: ['acquire.read'] })
const open = (me = writer, at = '/traffic') => renderPage(<TrafficPage />, { at, path: '/traffic', me })

beforeEach(() => loadNamespaces('traffic'))
afterEach(() => {
  vi.unstubAllGlobals()
})

describe('abnormal traffic', () => {
  it('says in words what was found, and asks for the state that was chosen', async () => {
    const seen = serve(base)
    open(reader, '/traffic?state=fake')
    expect(await screen.findByText('短链“新品券”突发点击')).toBeTruthy()
    expect(screen.getByText('十分钟内同一网络的 90 个访客打开 300 次')).toBeTruthy()
    expect(seen.find((r) => r.path === '/api/traffic')?.query.state).toBe('fake')
    expect(screen.queryByRole('button', { name: '立即检查' })).toBeNull()
  })
  it('sends the judgement with its reason', async () => {
    const seen = serve({ ...base, 'POST /api/traffic/tf_1/judge': () => json(finding({ state: 'fake' })) })
    open(writer, '/traffic?finding=tf_1')
    const drawer = await screen.findByRole('dialog')
    await userEvent.click(await within(drawer).findByRole('textbox', { name: '理由（同事看得到）' }))
    await userEvent.paste('一家代理在刷')
    expect((await within(drawer).findByRole('link', { name: '访客' })).getAttribute('href')).toBe('/contacts/ct_1')
    await userEvent.click(within(drawer).getByRole('button', { name: '是虚假的' }))
    await waitFor(() => expect(seen.find((r) => r.method === 'POST')?.body).toEqual({ state: 'fake', note: '一家代理在刷' }))
  })
  it('lets those who may only look judge nothing', async () => {
    serve(base)
    open(reader, '/traffic?finding=tf_1')
    const drawer = await screen.findByRole('dialog')
    await within(drawer).findByRole('link', { name: '访客' })
    expect(within(drawer).queryByRole('button', { name: '是虚假的' })).toBeNull()
  })
  it('keeps the limits open when the server refuses them', async () => {
    const seen = serve({ ...base, 'PUT /api/traffic/settings': () => problem(422, 'request.invalid', '上限须在 10 到 10000 之间') })
    open()
    await userEvent.click(await screen.findByRole('button', { name: '怎样算异常' }))
    const box = await screen.findByRole('spinbutton', { name: '十分钟内同一网络打开同一内容的次数' })
    await userEvent.clear(box)
    await userEvent.type(box, '5')
    await userEvent.click(screen.getByRole('button', { name: '保存' }))
    expect(await screen.findByText(/上限须在 10 到 10000 之间/)).toBeTruthy()
    expect(seen.find((r) => r.method === 'PUT')?.body).toEqual({ burst: 5, limits: [{ channel: '', percent: 15 }] })
    expect(screen.getByRole('spinbutton', { name: '十分钟内同一网络打开同一内容的次数' })).toBeTruthy()
  })
  it('looks now, and says when it did not work', async () => {
    serve({ ...base, 'POST /api/traffic/look': () => json({ jobId: 'jb_1' }), 'GET /api/jobs/jb_1': () => json({ id: 'jb_1', state: 'failed' }) })
    open()
    await userEvent.click(await screen.findByRole('button', { name: '立即检查' }))
    expect(await screen.findByText('没有成功，原因见任务列表')).toBeTruthy()
  })
  it('says that nothing is abnormal, what it may not show, and what failed', async () => {
    serve({ ...base, 'GET /api/traffic': () => json({ items: [] }) })
    const first = open()
    expect(await screen.findByText('没有异常')).toBeTruthy()
    first.unmount()
    serve({ ...base, 'GET /api/traffic': () => problem(403, 'access.denied', '你的角色不能查看') })
    const second = open()
    expect(await screen.findByText('你的角色不能查看')).toBeTruthy()
    second.unmount()
    serve({ ...base, 'GET /api/traffic': () => problem(500, 'internal', '服务器出错') })
    open()
    expect(await screen.findByText('服务器出错')).toBeTruthy()
  })
})
