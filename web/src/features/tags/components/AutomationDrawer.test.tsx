import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Tag } from '@/shared/api/types'
import { loadNamespaces } from '@/shared/i18n/i18n'
import { renderPage, someone } from '../../../../test/render'
import { json, serve } from '../../../../test/server'
import { AutomationDrawer } from './AutomationDrawer'

const tag: Tag = { id: 'tg_1', name: '高意向', color: '#336699', contacts: 3, added: [], search: '' }
const automation = {
  tag: { id: 'tg_1', name: '高意向', group: '意向', color: '#336699' },
  kind: 'score',
  version: 2,
  by: { id: 'us_1', name: '王芳' },
  createdAt: '2026-03-01T00:00:00Z',
  changedAt: '2026-03-02T00:00:00Z',
  status: { state: 'ready', progress: 1, total: 0, done: 0, have: 31, byHand: 4, exceptions: 1, losses: 0 },
  score: { events: [{ name: 'order.paid', weight: 5 }], halfLife: 7, have: 5 },
}
const preview = { matching: 40, gain: 12, lose: 3, byHand: 4, excepted: 1, sample: [{ id: 'ct_9', name: '赵兰' }], scores: [{ from: 0.1, people: 90 }, { from: 5, people: 40 }] }
const exceptions = { items: [{ contact: { id: 'ct_1', name: '李雷' }, reason: 'hand', at: '2026-03-02T00:00:00Z', by: { id: 'us_1', name: '王芳' } }] }

function open(now: object | undefined, permissions = ['contact.read', 'tag.write', 'segment.read']) {
  const seen = serve({
    'GET /api/contacts/fields': () => json({ items: [] }),
    'GET /api/rules/events': () => json({ items: [{ name: 'order.paid', title: '下单' }] }),
    'GET /api/rules/events/order.paid/properties': () => json({ items: [] }),
    'GET /api/tags/tg_1/automation': () => (now ? json(now) : json({ code: 'autotag.none', detail: '没有设置' }, 404)),
    'POST /api/tags/tg_1/automation/preview': () => json(preview),
    'PUT /api/tags/tg_1/automation': () => json(automation),
    'GET /api/tags/tg_1/automation/exceptions': () => json(exceptions),
    'DELETE /api/tags/tg_1/automation/exceptions/ct_1': () => new Response(null, { status: 204 }),
  })
  renderPage(<AutomationDrawer tag={tag} onClose={() => {}} />, { at: '/tags', path: '/tags', me: someone({ permissions }) })
  return { user: userEvent.setup(), seen }
}

beforeEach(() => loadNamespaces('tags', 'rules'))
afterEach(() => {
  vi.unstubAllGlobals()
})

describe('automatic tagging', () => {
  it('shows a score, what a change would do, and lifts an exception', async () => {
    const { user, seen } = open(automation)
    expect(await screen.findByRole('spinbutton', { name: '第 1 个行为的分数' })).toHaveProperty('value', '5')
    expect(await screen.findByText('赵兰')).toBeTruthy()
    expect(screen.getByText('12')).toBeTruthy()
    expect(screen.getByRole('img', { name: /保留 7 天/ })).toBeTruthy()
    const days = screen.getByRole('spinbutton', { name: '半衰期（天）' })
    await user.clear(days)
    await user.type(days, '14')
    await waitFor(() => expect(screen.getByRole('img', { name: /保留 14 天/ })).toBeTruthy())
    await user.click(screen.getByRole('button', { name: '保存修改' }))
    await waitFor(() => expect(seen.some((r) => r.method === 'PUT')).toBe(true))
    await user.click(await screen.findByRole('button', { name: '解除' }))
    await waitFor(() => expect(seen.some((r) => r.method === 'DELETE')).toBe(true))
  })
  it('begins with nothing, and asks for what is missing', async () => {
    open(undefined)
    expect(await screen.findByText(/请填写完整/)).toBeTruthy()
    expect(screen.getByRole('button', { name: '开始自动打标' })).toHaveProperty('disabled', true)
  })
  it('offers no rules to those who may not see segments', async () => {
    open(undefined, ['contact.read', 'tag.write'])
    expect(await screen.findByRole('radio', { name: '按规则' })).toHaveProperty('disabled', true)
    expect(screen.getByRole('radio', { name: '按行为分' })).toHaveProperty('checked', true)
  })
})
