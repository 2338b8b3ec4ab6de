import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { KindRule } from '@/shared/api/types'
import { loadNamespaces } from '@/shared/i18n/i18n'
import { renderPage, someone } from '../../../../test/render'
import { json, problem, serve } from '../../../../test/server'
import IdentityPage from './IdentityPage'

const kind = (over: Partial<KindRule>): KindRule => ({ kind: 'phone', custom: false, priority: 50, weak: false, personal: true, form: 'phone', limit: 10, default: 10, changed: false, ...over })
const kinds = [kind({ kind: 'user_id', priority: 100, limit: 1, default: 1, personal: false, form: 'text' }), kind({}), kind({ kind: 'device_id', priority: 9, weak: true, personal: false, form: 'text', limit: 1000, default: 1000 })]
const usage = { items: [{ kind: 'phone', identities: 116, contacts: 100, spread: [{ carry: 1, contacts: 90 }, { carry: 2, contacts: 7 }, { carry: 4, contacts: 3 }] }], countedAt: '2026-03-02T04:00:00Z' }
const base = { 'GET /api/identity/kinds': () => json({ items: kinds }), 'GET /api/identity/usage': () => json(usage) }
const operator = someone({ permissions: ['contact.read', 'contact.write', 'identity.write'] })
const open = (at = '/identities', me = operator) => renderPage(<IdentityPage />, { at, path: '/identities', me })
const row = async (text: string) => (await screen.findByText(text)).closest('tr') as HTMLElement

beforeEach(() => loadNamespaces('identity', 'contacts'))
afterEach(() => {
  vi.unstubAllGlobals()
})

describe('IdentityPage', () => {
  it('lists kinds with limits, and warns before a limit is set whom it concerns', async () => {
    const user = userEvent.setup()
    const put = vi.fn(() => json({ ...kind({ limit: 1, changed: true }), beyond: 10 }))
    serve({ ...base, 'PUT /api/identity/kinds/phone': put })
    open()
    expect((await row('用户 ID')).textContent).toContain('唯一')
    expect((await row('手机号')).textContent).toContain('116')
    await user.click(screen.getByRole('button', { name: '修改“手机号”的上限' }))
    const field = await screen.findByLabelText('一位客户最多几个')
    await user.clear(field)
    await user.type(field, '3')
    expect(await screen.findByText(/已有 3 位客户超过这个上限/)).toBeTruthy()
    await user.clear(field)
    await user.type(field, '1')
    expect(await screen.findByText(/已有 10 位客户超过这个上限/)).toBeTruthy()
    expect(screen.getByText(/永远不会自动合并/)).toBeTruthy()
    await user.click(screen.getByRole('button', { name: /^保\s*存$/ }))
    await waitFor(() => expect(put).toHaveBeenCalledOnce())
  })

  it('lets nobody change limits who may not', async () => {
    serve(base)
    open('/identities', someone({ permissions: ['contact.read'] }))
    expect(await row('手机号')).toBeTruthy()
    expect(screen.queryByRole('button', { name: /上限/ })).toBeNull()
  })

  it('blocks pasted values and says which lines were none', async () => {
    const user = userEvent.setup()
    const sent: unknown[] = []
    serve({
      ...base,
      'GET /api/identity/blocked': () => json({ items: [], total: 0 }),
      'POST /api/identity/blocked': (r) => {
        sent.push(r.body)
        return json({ added: 1, already: 0, carried: 1, refused: [{ at: 1, value: '12', reason: 'bad_phone' }] })
      },
    })
    open('/identities?tab=blocked')
    await user.click((await screen.findAllByRole('button', { name: '添加屏蔽值' }))[0] as HTMLElement)
    const box = await screen.findByLabelText('值，每行一个')
    await user.click(screen.getByRole('button', { name: /屏蔽 0 个值/ }))
    expect(await screen.findByText('请至少填一个值')).toBeTruthy()
    await user.type(box, '400-810-0000{enter}12')
    await user.click(screen.getByRole('button', { name: '屏蔽 2 个值' }))
    expect(await screen.findByText('不是电话号码')).toBeTruthy()
    expect(screen.getByText(/其中 1 个值已有客户带有/)).toBeTruthy()
    expect(sent).toEqual([{ kind: 'phone', values: ['400-810-0000', '12'] }])
  })

  it('offers a choice only for pairs that are still open', async () => {
    const user = userEvent.setup()
    const apart = vi.fn(() => new Response(null, { status: 204 }))
    const one = { kind: 'phone', value: '138****8000', reason: 'other_person', contact: { id: 'ct_1', name: '王芳' }, holder: { id: 'ct_2', name: '李雷' }, state: 'open', count: 2, firstAt: '2026-03-01T00:00:00Z', lastAt: '2026-03-02T00:00:00Z' }
    serve({
      ...base,
      'GET /api/identity/conflicts': () => json({ items: [one, { ...one, contact: { id: 'ct_3', name: '韩梅' }, state: 'apart' }, { ...one, contact: { id: 'ct_4', name: '赵一' }, holder: undefined, reason: 'limit' }] }),
      'POST /api/contacts/ct_1/apart': apart,
    })
    open('/identities?tab=conflicts')
    const first = await row('王芳')
    expect((first).textContent).toContain('两边都有唯一标识，是两个人')
    expect((within(first).getByRole('link', { name: '李雷' })).getAttribute('href')).toBe('/contacts/ct_2')
    expect(within(await row('韩梅')).queryByRole('button')).toBeNull()
    expect(within(await row('赵一')).queryByRole('button')).toBeNull()
    await user.click(within(first).getByRole('button', { name: '不是同一人' }))
    await user.click(within(await screen.findByRole('dialog')).getByRole('button', { name: '不是同一人' }))
    await waitFor(() => expect(apart).toHaveBeenCalledOnce())
  })

  it('says so when the list cannot be read', async () => {
    serve({ ...base, 'GET /api/identity/refusals': () => problem(403, 'session.forbidden', '没有权限') })
    open('/identities?tab=refused')
    expect(await screen.findByRole('alert')).toBeTruthy()
  })
})
