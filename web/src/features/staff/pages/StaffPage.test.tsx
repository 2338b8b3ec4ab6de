import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { loadNamespaces } from '@/shared/i18n/i18n'
import { renderPage, someone } from '../../../../test/render'
import { json, serve } from '../../../../test/server'
import { ContactFriends } from '../components/ContactFriends'
import StaffPage from './StaffPage'

const account = { id: 'ac_1', name: '山月茶集', members: 3, left: 1, waiting: 0, friends: 2, syncedAt: '2026-01-05T08:00:00Z' }
const member = (id: string, name: string, friends: number) => ({ account: 'ac_1', id, name, departments: ['门店'], state: 'active', serves: true, friends, addedToday: 1, deletedToday: 0 })
const friend = { account: 'ac_1', staff: 'zhang', staffName: '张三', customer: 'wm1', contactId: 'ct_1', name: '李四', remark: '李总', state: 'friend', since: '2026-01-02T00:00:00Z' }
const handover = { id: 'ho_1', account: 'ac_1', from: { id: 'zhang', name: '张三' }, to: { id: 'li', name: '李四四' }, gone: true, state: 'open', total: 3, counts: { new: 1, refused: 1, full: 1 }, groups: { new: 1, done: 1 }, by: '沈知夏', createdAt: '2026-01-05T08:00:00Z' }
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
      'POST /api/handovers': () => json({ items: [handover] }),
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
    await waitFor(() => expect(seen.find((c) => c.path === '/api/handovers')?.body).toEqual({ account: 'ac_1', from: 'zhang', to: ['li'], customers: ['wm1'], all: false, groups: false }))
  }, 60_000)

  it('gives what a leaver left behind to several in equal shares', async () => {
    const gone = { ...member('zhang', '张三', 5), state: 'left', leftAt: '2026-01-04T08:00:00Z' }
    const seen = serve({
      'GET /api/colleagues/accounts': () => json({ items: [{ ...account, waiting: 5 }] }),
      'GET /api/leavers': () => json({ items: [{ ...gone, waiting: 5, going: 0, groups: 2, groupsGoing: 0 }] }),
      'GET /api/handovers': () => json({ items: [] }),
      'GET /api/colleagues': () => json({ items: [member('li', '李四四', 0), member('wang', '王五五', 0)] }),
      'POST /api/handovers': () => json({ items: [handover] }),
    })
    renderPage(<StaffPage />, { at: '/staff?tab=leavers', path: '/staff', me: someone({ permissions: ['team.read', 'team.write'] }) })
    expect(await screen.findByRole('tab', { name: '离职成员（5 位客户待分配）' })).toBeTruthy()
    await userEvent.click(await screen.findByText('张三'))
    const drawer = await screen.findByRole('dialog')
    await userEvent.click(within(drawer).getByRole('button', { name: '分配客户与群聊' }))
    const box = await within(drawer).findByRole('combobox', { name: '接替成员' })
    await userEvent.click(box)
    await userEvent.click(await screen.findByTitle('李四四（门店）'))
    await userEvent.click(await screen.findByTitle('王五五（门店）'))
    expect(within(drawer).getByText('平均分给 李四四、王五五，每位 2–3 位客户。')).toBeTruthy()
    await userEvent.click(within(drawer).getByRole('button', { name: '交接 5 位客户' }))
    await waitFor(() => expect(seen.find((c) => c.method === 'POST')?.body).toEqual({ account: 'ac_1', from: 'zhang', to: ['li', 'wang'], all: true, groups: true }))
  }, 60_000)

  it('says what became of each and what to do, and takes back what has not gone out', async () => {
    const one = (customer: string, state: string) => ({ customer, state, name: customer, contactId: `ct_${customer}`, at: '2026-01-05T09:00:00Z' })
    const seen = serve({
      'GET /api/colleagues/accounts': () => json({ items: [account] }),
      'GET /api/handovers': () => json({ items: [handover] }),
      'GET /api/handovers/ho_1/customers': () => json({ items: [one('wm1', 'refused'), one('wm2', 'full'), { ...one('wm3', 'new'), why: 'staff.asked_later', words: '平台的额度暂时用完，会自动继续。' }] }),
      'GET /api/handovers/ho_1/groups': () => json({ items: [{ id: 'wr1', name: '白茶群', state: 'done', at: '2026-01-05T09:00:00Z' }, { id: 'wr2', state: 'new', at: '2026-01-05T09:00:00Z' }] }),
      'POST /api/handovers/ho_1/stop': () => json({ ...handover, state: 'done' }),
    })
    renderPage(<StaffPage />, { at: '/staff?tab=handovers', path: '/staff', me: someone({ permissions: ['team.read', 'team.write', 'contact.export'] }) })
    expect(await screen.findByText('群聊 1/2')).toBeTruthy()
    await userEvent.click(await screen.findByRole('button', { name: '详情' }))
    expect(await screen.findByText('客户不愿换人。可以电话沟通，或请他扫新同事的活码。')).toBeTruthy()
    expect(screen.getByText('对方的客户数已到上限，请换一位成员再交接。')).toBeTruthy()
    expect(screen.getByText('平台的额度暂时用完，会自动继续。')).toBeTruthy()
    expect(await screen.findByText('白茶群')).toBeTruthy()
    expect(screen.getByRole('link', { name: '导出明细' }).getAttribute('href')).toBe('/api/handovers/ho_1/customers.csv')
    await userEvent.click(screen.getByRole('button', { name: '取消未提交的' }))
    const ask = await screen.findByRole('dialog')
    expect(within(ask).getByText(/将取消 2 项/)).toBeTruthy()
    await userEvent.click(within(ask).getByRole('button', { name: '取消未提交的' }))
    await waitFor(() => expect(seen.some((c) => c.path === '/api/handovers/ho_1/stop')).toBe(true))
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
