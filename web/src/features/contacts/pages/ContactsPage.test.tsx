import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ContactRow } from '@/shared/api/types'
import type { ContactSelection } from '@/shared/lib/selection'
import { loadNamespaces } from '@/shared/i18n/i18n'
import { renderPage, someone } from '../../../../test/render'
import { json, problem, serve } from '../../../../test/server'
import { BulkTags } from '../components/BulkTags'
import { ContactsPage } from './ContactsPage'

const row = (id: string, name: string): ContactRow => ({
  id,
  name,
  kind: 'person',
  phone: '138****2071',
  tags: [],
  orders: 2,
  revenue: [{ amount: 12300, currency: 'CNY' }],
  createdAt: '2026-03-01T00:00:00Z',
})

const people = { items: [row('c1', '陈雨桐'), row('c2', '王伟'), row('c3', '李静')], next: 'n1', total: 1234 }
const tags = { groups: [{ id: 'g1', name: '偏好', color: '#14b8a6', tags: [{ id: 't1', name: '绿茶', color: '#14b8a6', contacts: 3 }] }] }
const writer = someone({ permissions: ['contact.read', 'contact.write'] })

/** What the actions on many were last given. */
let given: ContactSelection | undefined
const actions = [
  {
    key: 'tags',
    show: (s: ContactSelection) => {
      given = s
      return <BulkTags selection={s} />
    },
  },
]
const open = (at = '/contacts', me = writer) => renderPage(<ContactsPage actions={actions} />, { at, path: '/contacts', me })

beforeEach(() => loadNamespaces('contacts'))
afterEach(() => {
  vi.unstubAllGlobals()
})

describe('list of contacts', () => {
  it('asks for what the address says, shows it as chips, and takes a chip off', async () => {
    const seen = serve({ 'GET /api/contacts': () => json(people), 'GET /api/tags': () => json(tags) })
    const { router } = open('/contacts?q=chen&channel=social&tag=t1&createdFrom=2026-03-01&sort=revenue&order=asc')
    await screen.findByText('陈雨桐')
    const asked = seen.find((s) => s.path === '/api/contacts')
    expect(asked?.query).toEqual({
      q: 'chen',
      kind: 'person',
      channel: 'social',
      tag: 't1',
      createdFrom: '2026-02-28T16:00:00.000Z',
      sort: 'revenue',
      order: 'asc',
    })
    expect(await screen.findByText('绿茶')).toBeTruthy()
    await userEvent.click(screen.getByRole('button', { name: '去掉条件：渠道：社交媒体' }))
    expect(new URLSearchParams(router.state.location.search).get('channel')).toBeNull()
    expect(new URLSearchParams(router.state.location.search).get('tag')).toBe('t1')
    await waitFor(() => expect(seen.at(-1)?.query).not.toHaveProperty('channel'))
  })

  it('shows the total, opens a profile from the name and loads on with the cursor', async () => {
    const seen = serve({
      'GET /api/contacts': ({ query }) => json(query.cursor ? { items: [row('c4', '赵敏')], total: 1234 } : people),
    })
    open()
    expect((await screen.findByRole('link', { name: /陈雨桐/ })).getAttribute('href')).toBe('/contacts/c1')
    expect(screen.getByText('共 1,234 位')).toBeTruthy()
    await userEvent.click(screen.getByRole('button', { name: '加载更多' }))
    expect(await screen.findByText('赵敏')).toBeTruthy()
    expect(screen.getByText('陈雨桐')).toBeTruthy()
    expect(seen.at(-1)?.query.cursor).toBe('n1')
  })

  it('offers nothing that changes to those who may only read', async () => {
    serve({ 'GET /api/contacts': () => json(people) })
    renderPage(<ContactsPage />, { at: '/contacts', path: '/contacts', me: someone({ permissions: ['contact.read'] }) })
    await screen.findByText('陈雨桐')
    expect(screen.queryByRole('checkbox')).toBeNull()
    expect(screen.queryByRole('button', { name: '新建客户' })).toBeNull()
  })

  it('tells nothing yet from nothing found', async () => {
    serve({ 'GET /api/contacts': () => json({ items: [], total: 0 }), 'GET /api/tags': () => json(tags) })
    const first = open()
    expect(await screen.findByText('还没有客户')).toBeTruthy()
    first.unmount()
    open('/contacts?q=nobody')
    expect(await screen.findByText('没有符合条件的结果')).toBeTruthy()
  })

  it('shows what tagging would change, hands the work to the server, and undoes it', async () => {
    const run = {
      id: 'tr_1', kind: 'bulk', title: '+绿茶', state: 'succeeded', jobId: 'jb_1', add: [], remove: [], by: { id: 'us_1', name: '王芳' },
      createdAt: '2026-03-01T00:00:00Z', total: 2, seen: 2, people: 1, added: 1, removed: 0, missing: 0, restored: 0, kept: 0,
    }
    let undone = false
    const seen = serve({
      'GET /api/contacts': () => json(people),
      'GET /api/tags': () => json(tags),
      'POST /api/tags/bulk/preview': () => json({ total: 2, changing: 1, missing: 0, tags: [{ tag: { id: 't1', name: '绿茶', group: '偏好', color: '#14b8a6' }, have: 1, replaces: 1 }] }),
      'POST /api/tags/bulk': () => json({ ...run, state: 'queued' }),
      'GET /api/tag-runs/tr_1': () => json(undone ? { ...run, undoneAt: '2026-03-01T00:01:00Z', restored: 1 } : { ...run, undoUntil: '2026-03-31T00:00:00Z' }),
      'POST /api/tag-runs/tr_1/undo': () => {
        undone = true
        return json({ ...run, undoing: true })
      },
    })
    const user = userEvent.setup()
    open()
    await screen.findByText('陈雨桐')
    const boxes = screen.getAllByRole('checkbox')
    await user.click(boxes[1]!)
    await user.click(boxes[3]!)
    await user.click(screen.getByRole('button', { name: '打标签' }))
    const dialog = within(await screen.findByRole('dialog'))
    expect(dialog.getByRole('button', { name: '给 2 位打上' }).hasAttribute('disabled')).toBe(true)
    await user.click(dialog.getByRole('combobox'))
    await user.click(await screen.findByTitle('绿茶'))
    expect(await dialog.findByText('2 位中有 1 位会改变')).toBeTruthy()
    expect(dialog.getByText('其中 1 位会失去「偏好」的另一个标签')).toBeTruthy()
    await user.click(dialog.getByRole('button', { name: '给 1 位打上' }))
    expect(await dialog.findByText('已改变 1 位')).toBeTruthy()
    expect(seen.find((s) => s.path === '/api/tags/bulk')?.body).toEqual({ selection: { ids: ['c1', 'c3'] }, add: ['t1'] })
    await user.click(dialog.getByRole('button', { name: '撤销' }))
    expect(await dialog.findByText('已撤销 1 处改变')).toBeTruthy()
  })

  it('chooses all that match but for those unticked, and forgets it when the filter changes', async () => {
    serve({ 'GET /api/contacts': () => json(people), 'GET /api/tags': () => json(tags) })
    const user = userEvent.setup()
    open('/contacts?channel=social')
    await screen.findByText('陈雨桐')
    await user.click(screen.getByRole('checkbox', { name: '全选' }))
    expect(given?.body).toEqual({ ids: ['c1', 'c2', 'c3'] })
    await user.click(screen.getByRole('button', { name: '选择全部符合条件的 1,234 位' }))
    const filter = { kind: 'person', channel: 'social' }
    expect(given).toMatchObject({ body: { filter }, count: 1234 })
    await user.click(screen.getAllByRole('checkbox')[2]!)
    expect(given).toMatchObject({ body: { filter, except: ['c2'] }, count: 1233 })
    expect(screen.getByText('已选 1,233 位')).toBeTruthy()
    await user.click(screen.getByRole('button', { name: '去掉条件：渠道：社交媒体' }))
    await waitFor(() => expect(screen.queryByText('已选 1,233 位')).toBeNull())
  })

  it('puts a refusal of the server at its field', async () => {
    serve({
      'GET /api/contacts': () => json(people),
      'GET /api/tags': () => json(tags),
      'POST /api/contacts': () => problem(422, 'request.invalid', '内容有误', [{ path: 'phone', code: 'contact.bad_phone', detail: '这不是手机号。' }]),
    })
    const user = userEvent.setup()
    open()
    await user.click(screen.getByRole('button', { name: '新建客户' }))
    const drawer = within(await screen.findByRole('dialog'))
    await user.click(drawer.getByLabelText('姓名'))
    await user.paste('林见鹿')
    await user.click(drawer.getByLabelText(/手机号/))
    await user.paste('1')
    await user.click(drawer.getByRole('button', { name: '新建' }))
    expect(await drawer.findByText('这不是手机号。')).toBeTruthy()
  })
})
