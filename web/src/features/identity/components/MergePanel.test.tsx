import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Contact, MergeStory } from '@/shared/api/types'
import { loadNamespaces } from '@/shared/i18n/i18n'
import { renderPage, someone } from '../../../../test/render'
import { json, serve } from '../../../../test/server'
import { MergePanel } from './MergePanel'

const contact: Contact = {
  id: 'ct_1',
  name: '王芳',
  kind: 'person',
  tags: [],
  orders: 0,
  revenue: [],
  averageOrder: [],
  attributes: [],
  identities: [],
  mergedFrom: [],
  conflicts: [],
  facts: 3,
  createdAt: '2026-03-01T00:00:00Z',
} as unknown as Contact

const story = (over: Partial<MergeStory>): MergeStory => ({
  id: 'mg_1',
  at: '2026-03-02T00:00:00Z',
  contact: { id: 'ct_0', name: '' },
  kind: 'visitor',
  into: { id: 'ct_1', name: '王芳' },
  reason: 'identify',
  moved: { identities: [{ kind: 'anonymous_id', value: 'a1' }], tags: 0, notes: 2 },
  canUndo: true,
  ...over,
})

const writer = someone({ permissions: ['contact.read', 'contact.write'] })
const reader = someone({ permissions: ['contact.read'] })
const show = (stories: MergeStory[], me = writer, more = {}) => {
  const calls = serve({ 'GET /api/contacts/ct_1/merges': () => json({ items: stories }), ...more })
  renderPage(<MergePanel contact={contact} />, { at: '/contacts/ct_1', path: '/contacts/:id', me })
  return calls
}

beforeEach(() => loadNamespaces('identity', 'contacts'))
afterEach(() => {
  vi.unstubAllGlobals()
})

describe('MergePanel', () => {
  it('says by what two became one and what came along', async () => {
    show([story({ identity: { kind: 'phone', value: '138****8000' }, fact: { messageId: 'm1', name: 'signed_up', title: '注册', at: '2026-03-02T00:00:00Z' } })])
    const item = (await screen.findByText('并入了 一位未知访客')).closest('li') as HTMLElement
    expect((item).textContent).toContain('事件“注册”同时带有手机号 138****8000')
    expect((item).textContent).toContain('带来：匿名 ID a1、2 条备注')
  })

  it('offers to undo only what can be undone, and only to those who may write', async () => {
    const list = [story({ id: 'mg_1', contact: { id: 'a', name: '甲' } }), story({ id: 'mg_2', contact: { id: 'b', name: '乙' }, canUndo: false })]
    show(list)
    expect(await screen.findByRole('button', { name: '撤销与 甲 的合并' })).toBeTruthy()
    expect(screen.queryByRole('button', { name: '撤销与 乙 的合并' })).toBeNull()
    expect(screen.getByRole('button', { name: '合并…' })).toBeTruthy()
  })

  it('shows a reader the stories and nothing to press', async () => {
    show([story({ contact: { id: 'a', name: '甲' } })], reader)
    expect(await screen.findByText('并入了 甲')).toBeTruthy()
    expect(screen.queryByRole('button')).toBeNull()
  })

  it('keeps an undone merge in sight, with who undid it and why', async () => {
    show([story({ contact: { id: 'a', name: '甲' }, canUndo: false, undoneAt: '2026-03-05T00:00:00Z', undoneBy: { id: 'u', name: '李娜' }, undoneNote: '母女' })])
    const item = (await screen.findByText('曾并入 甲')).closest('li') as HTMLElement
    expect((item).textContent).toContain('李娜 已撤销')
    expect((item).textContent).toContain('“母女”')
    expect(within(item).queryByRole('button')).toBeNull()
  })

  it('merges two who were kept apart only when somebody confirms it', async () => {
    const user = userEvent.setup()
    const other = { ...contact, id: 'ct_2', name: '王小芳' }
    const merge = vi.fn(() => json({ mergeId: 'mg_9', contact }))
    show([], writer, {
      'GET /api/contacts': () => json({ items: [other], total: 1 }),
      'POST /api/contacts/ct_1/merge/preview': () => json({ keep: contact, other, after: contact, notes: 0, differences: [], warnings: [{ code: 'over_limit', kind: 'phone' }], keptApart: '母女' }),
      'POST /api/contacts/ct_1/merge': merge,
    })
    await user.click(await screen.findByRole('button', { name: '合并…' }))
    await user.type(await screen.findByRole('searchbox'), '王小芳')
    await user.click(await screen.findByRole('button', { name: '王小芳' }))
    expect(await screen.findByText(/有人认定这两位是不同的人：“母女”/)).toBeTruthy()
    expect(screen.getByText(/“手机号”的数量超过身份规则允许的上限/)).toBeTruthy()
    await user.click(screen.getByRole('button', { name: /^合\s*并$/ }))
    expect(await screen.findByText('请先确认是同一个人')).toBeTruthy()
    expect(merge).not.toHaveBeenCalled()
    await user.click(screen.getByRole('checkbox', { name: '确认是同一个人' }))
    await user.click(screen.getByRole('button', { name: /^合\s*并$/ }))
    await waitFor(() => expect(merge).toHaveBeenCalledOnce())
  })
})
