import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { CustomerGroup, GroupMember } from '@/shared/api/types'
import { loadNamespaces } from '@/shared/i18n/i18n'
import { renderPage, someone } from '../../../../test/render'
import { json, problem, serve } from '../../../../test/server'
import GroupPage from './GroupPage'
import GroupsPage from './GroupsPage'

const account = { account: 'ac_1', name: '山月茶集', groups: 2, customers: 180, joined: 12, gone: 3, syncedAt: '2026-03-01T00:00:00Z' }
const group = (over: Partial<CustomerGroup> = {}): CustomerGroup => ({
  account: 'ac_1', id: 'wr1', name: '白茶群', owner: 'zhang', ownerName: '张三', ownerLeft: false, state: 'open', members: 101, customers: 100, joined: 8, gone: 2, createdAt: '2026-01-01T00:00:00Z', ...over,
})
const member = (over: Partial<GroupMember> = {}): GroupMember => ({ id: 'wm1', name: '李四', kind: 'customer', friend: true, joinedAt: '2026-02-01T00:00:00Z', ...over })
const base = {
  'GET /api/groups/accounts': () => json({ items: [account] }),
  'GET /api/groups': () => json({ items: [group(), group({ id: 'wr2', name: '', ownerLeft: true }), group({ id: 'wr3', name: '旧群', state: 'dismissed' })] }),
}
const writer = someone({ permissions: ['acquire.read', 'acquire.write', 'contact.read'] })
const reader = someone({ permissions: ['acquire.read'] })
const list = (me = reader, at = '/groups') => renderPage(<GroupsPage />, { at, path: '/groups', me })
const one = () => renderPage(<GroupPage />, { at: '/groups/ac_1/wr1', path: '/groups/:account/:id', me: reader })

beforeEach(() => loadNamespaces('groups'))
afterEach(() => {
  vi.unstubAllGlobals()
})

describe('the list of groups', () => {
  it('marks those whose owner left, the dismissed and the nameless', async () => {
    serve(base)
    list()
    expect(await screen.findByText('白茶群')).toBeTruthy()
    const row = screen.getByText('未命名群').closest('tr') as HTMLElement
    expect(within(row).getByText('群主已离职')).toBeTruthy()
    expect(within(screen.getByText('旧群').closest('tr') as HTMLElement).getByText('已解散')).toBeTruthy()
    expect(within(screen.getByText('白茶群').closest('tr') as HTMLElement).queryByText('群主已离职')).toBeNull()
  })
  it('asks for what the address says', async () => {
    const seen = serve(base)
    list(reader, '/groups?state=open&owners=left&q=白茶')
    await screen.findByText('白茶群')
    expect(seen.find((r) => r.path === '/api/groups')?.query).toEqual({ account: 'ac_1', state: 'open', ownerLeft: 'true', q: '白茶' })
  })
  it('reads all anew for those who may, and says why it did not', async () => {
    let refused = true
    const seen = serve({ ...base, 'POST /api/groups/sync': () => (refused ? problem(409, 'community.paused', '账号已暂停') : json({ job: 'jb_1' })) })
    list(writer)
    await userEvent.click(await screen.findByRole('button', { name: '同步客户群' }))
    expect(await screen.findByText(/账号已暂停/)).toBeTruthy()
    refused = false
    await userEvent.click(screen.getByRole('button', { name: '同步客户群' }))
    await waitFor(() => expect(seen.filter((r) => r.path === '/api/groups/accounts').length).toBeGreaterThan(1))
    expect(seen.find((r) => r.method === 'POST')?.body).toEqual({ account: 'ac_1' })
  })
  it('offers no sync to those who may only look', async () => {
    serve(base)
    list()
    await screen.findByText('白茶群')
    expect(screen.queryByRole('button', { name: '同步客户群' })).toBeNull()
  })
  it('says that no account is there, and that no group was read', async () => {
    serve({ 'GET /api/groups/accounts': () => json({ items: [] }) })
    const first = list()
    expect(await screen.findByText('还没有企业微信账号')).toBeTruthy()
    first.unmount()
    serve({ ...base, 'GET /api/groups': () => json({ items: [] }) })
    list()
    expect(await screen.findByText('还没有读取客户群')).toBeTruthy()
  })
  it('says what it may not show, and what failed', async () => {
    serve({ 'GET /api/groups/accounts': () => problem(403, 'access.denied', '你的角色不能查看') })
    const first = list()
    expect(await screen.findByText('你的角色不能查看')).toBeTruthy()
    first.unmount()
    serve({ ...base, 'GET /api/groups': () => problem(500, 'internal', '服务器出错') })
    list()
    expect(await screen.findByText('服务器出错')).toBeTruthy()
  })
})

describe('one group', () => {
  const detail = { ...group({ ownerLeft: true }), friends: 60, layers: { core: 10, active: 20, newcomer: 5, quiet: 65 }, days: [{ date: '2026-03-01', joined: 1, gone: 0, size: 100 }] }
  const answers = {
    'GET /api/groups/ac_1/wr1': () => json(detail),
    'GET /api/groups/ac_1/wr1/members': () =>
      json({ items: [member({ contactId: 'ct_1', invitor: '张三', scene: 3, layer: 'core', brought: 4 }), member({ id: 'wm2', name: '路人', friend: false }), member({ id: 'zhang', name: '张三', kind: 'staff', friend: false, owner: true })] }),
  }
  it('shows layers and members, and leads to those who are customers', async () => {
    serve(answers)
    one()
    expect((await screen.findByRole('link', { name: '李四' })).getAttribute('href')).toBe('/contacts/ct_1')
    expect(screen.getByText('群主已离职，请尽快交接给其他成员，否则无法群发和修改群资料。')).toBeTruthy()
    expect(within(screen.getByText('路人').closest('tr') as HTMLElement).getByText('非好友')).toBeTruthy()
    expect(screen.getByText('65')).toBeTruthy()
  })
  it('says that it is not there', async () => {
    serve({ 'GET /api/groups/ac_1/wr1': () => problem(404, 'community.group_not_found', '没有这个群') })
    one()
    expect(await screen.findByText('没有这个群')).toBeTruthy()
  })
})
