import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { loadNamespaces } from '@/shared/i18n/i18n'
import { renderPage, someone } from '../../../../test/render'
import { json, serve } from '../../../../test/server'
import { ContactFriends } from '../components/ContactFriends'
import StaffPage from './StaffPage'

const account = { id: 'ac_1', name: '山月茶集', members: 3, left: 1, friends: 2, syncedAt: '2026-01-05T08:00:00Z' }
const member = (id: string, name: string, friends: number) => ({ account: 'ac_1', id, name, departments: ['门店'], state: 'active', serves: true, friends, addedToday: 1, deletedToday: 0 })
const friend = { account: 'ac_1', staff: 'zhang', staffName: '张三', customer: 'wm1', contactId: 'ct_1', name: '李四', remark: '李总', state: 'friend', since: '2026-01-02T00:00:00Z' }
const open = (permissions: string[]) => renderPage(<StaffPage />, { at: '/staff', path: '/staff', me: someone({ permissions }) })

beforeEach(() => loadNamespaces('staff'))
afterEach(() => {
  vi.unstubAllGlobals()
})

describe('colleagues', () => {
  it('hands chosen customers of one to another', async () => {
    const seen = serve({
      'GET /api/colleagues/accounts': () => json({ items: [account] }),
      'GET /api/colleagues': () => json({ items: [member('zhang', '张三', 2), member('li', '李四四', 0)] }),
      'GET /api/friendships': () => json({ items: [friend] }),
      'GET /api/staff': () => json({ items: [] }),
      'POST /api/handovers': () => json({ id: 'ho_1', account: 'ac_1', from: { id: 'zhang', name: '张三' }, to: { id: 'li', name: '李四四' }, gone: false, state: 'open', total: 1, counts: { new: 1 }, by: '沈知夏', createdAt: '2026-01-05T08:00:00Z' }),
    })
    open(['team.read', 'team.write'])
    await userEvent.click(await screen.findByText('张三'))
    const drawer = await screen.findByRole('dialog')
    expect(await within(drawer).findByRole('link', { name: '李四' })).toBeTruthy()
    await userEvent.click(within(drawer).getAllByRole('checkbox')[1] as HTMLElement)
    await userEvent.click(within(drawer).getByRole('button', { name: '交接 1 位' }))
    await userEvent.click(await within(drawer).findByRole('combobox', { name: '接替成员' }))
    await userEvent.click(await screen.findByTitle('李四四（门店）'))
    await userEvent.click(within(drawer).getByRole('button', { name: '交接 1 位客户' }))
    await waitFor(() => expect(seen.find((c) => c.path === '/api/handovers')?.body).toEqual({ account: 'ac_1', from: 'zhang', to: 'li', customers: ['wm1'], all: false }))
  }, 60_000)

  it('offers nothing to change to those who may only look', async () => {
    serve({ 'GET /api/colleagues/accounts': () => json({ items: [account] }), 'GET /api/colleagues': () => json({ items: [member('zhang', '张三', 2)] }) })
    open(['team.read'])
    expect(await screen.findByText('张三')).toBeTruthy()
    expect(screen.queryByRole('button', { name: /同步通讯录/ })).toBeNull()
  })

  it('says what is missing without an account', async () => {
    serve({ 'GET /api/colleagues/accounts': () => json({ items: [] }) })
    open(['team.read'])
    expect(await screen.findByText('还没有企业微信账号')).toBeTruthy()
  })
})

describe('friends on a profile', () => {
  it('writes a remark back', async () => {
    const seen = serve({
      'GET /api/contacts/ct_1/friends': () => json({ items: [friend, { ...friend, staff: 'li', staffName: '李四四', state: 'deleted', endedAt: '2026-01-03T00:00:00Z' }] }),
      'PUT /api/contacts/ct_1/friends/remark': () => json({ items: [{ ...friend, remark: '李老板' }] }),
    })
    renderPage(<ContactFriends contact="ct_1" />, { at: '/x', path: '/x', me: someone({ permissions: ['contact.read', 'contact.write'] }) })
    expect(await screen.findByText('被客户删除')).toBeTruthy()
    await userEvent.click(screen.getByRole('button', { name: '修改 张三 对客户的备注' }))
    const box = await screen.findByRole('textbox', { name: '备注名（20 字以内）' })
    await userEvent.clear(box)
    await userEvent.type(box, '李老板')
    await userEvent.click(screen.getByRole('button', { name: /保\s*存/ }))
    await waitFor(() => expect(seen.find((c) => c.method === 'PUT')?.body).toEqual({ account: 'ac_1', staff: 'zhang', customer: 'wm1', remark: '李老板', note: '' }))
    expect(await screen.findByText('李老板')).toBeTruthy()
  })
})
