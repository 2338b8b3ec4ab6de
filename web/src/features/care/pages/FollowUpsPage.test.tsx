import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { loadNamespaces } from '@/shared/i18n/i18n'
import { renderPage, someone } from '../../../../test/render'
import { json, serve } from '../../../../test/server'
import FollowUpsPage from './FollowUpsPage'

const one = {
  id: 'fu_1', contact: { id: 'ct_1', name: '陈雨桐' }, assignee: { id: 'u1', name: '沈知夏' }, type: 'call', text: '问新茶口味', due: '2026-01-05T08:00:00Z', allDay: false,
  repeatDays: 0, state: 'open', createdBy: { id: 'u1', name: '沈知夏' }, createdAt: '2026-01-01T00:00:00Z',
}
const open = (permissions: string[]) => renderPage(<FollowUpsPage />, { at: '/follow-ups', path: '/follow-ups', me: someone({ permissions }) })

beforeEach(() => loadNamespaces('care'))
afterEach(() => {
  vi.unstubAllGlobals()
})

describe('the board', () => {
  it('shows counts, says what is late, and sends what came of a follow-up', async () => {
    const seen = serve({
      'GET /api/follow-ups': () => json({ items: [one] }),
      'GET /api/follow-ups/counts': () => json({ today: 1, overdue: 2, upcoming: 0 }),
      'GET /api/staff': () => json({ items: [] }),
      'POST /api/follow-ups/fu_1/done': () => json({ done: { ...one, state: 'done' } }),
    })
    open(['contact.read', 'contact.write'])
    expect(await screen.findByRole('tab', { name: '已逾期（2）' })).toBeTruthy()
    expect(await screen.findByRole('link', { name: '陈雨桐' })).toBeTruthy()
    await userEvent.click(screen.getByRole('button', { name: '完成…' }))
    const dialog = await screen.findByRole('dialog')
    await userEvent.type(within(dialog).getByLabelText(/沟通内容/), '要龙井')
    await userEvent.click(within(dialog).getByRole('button', { name: /完\s*成/ }))
    expect(await screen.findByText('跟进已完成')).toBeTruthy()
    expect(seen.find((c) => c.path === '/api/follow-ups/fu_1/done')?.body).toEqual({ outcome: 'reached', note: '要龙井' })
  })

  it('goes through the rows by keyboard and changes those ticked at once', async () => {
    const two = { ...one, id: 'fu_2', contact: { id: 'ct_2', name: '林小满' } }
    const seen = serve({
      'GET /api/follow-ups': () => json({ items: [one, two] }),
      'GET /api/follow-ups/counts': () => json({ today: 2, overdue: 0, upcoming: 0 }),
      'GET /api/staff': () => json({ items: [{ id: 'u2', name: '周予安', departments: [] }] }),
      'POST /api/follow-ups/bulk': () => json({ changed: 1 }),
    })
    open(['contact.read', 'contact.write'])
    await screen.findByRole('link', { name: '林小满' })
    await userEvent.keyboard('jjp') // the first row, the second, postpone it
    expect(await screen.findByText('已推迟一天')).toBeTruthy()
    expect(seen.find((c) => c.path === '/api/follow-ups/bulk')?.body).toEqual({ ids: ['fu_2'], postponeDays: 1 })
    await userEvent.keyboard('kd')
    const dialog = await screen.findByRole('dialog')
    expect(within(dialog).getByText('完成跟进：陈雨桐')).toBeTruthy()
    await userEvent.click(dialog.querySelector('.ant-modal-close') as HTMLElement)
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())

    await userEvent.click(screen.getAllByRole('checkbox')[0] as HTMLElement)
    const bar = await screen.findByRole('region', { name: '对所选跟进的操作' })
    await userEvent.click(within(bar).getByRole('button', { name: '完成：未接通' }))
    await waitFor(() => expect(seen.filter((c) => c.path === '/api/follow-ups/bulk').at(-1)?.body).toEqual({ ids: ['fu_1', 'fu_2'], outcome: 'no_answer' }))
    await waitFor(() => expect(screen.queryByRole('region', { name: '对所选跟进的操作' })).toBeNull())
  })

  it('offers nothing to do to those who may only look', async () => {
    serve({ 'GET /api/follow-ups': () => json({ items: [{ ...one, contact: undefined }] }), 'GET /api/follow-ups/counts': () => json({ today: 1, overdue: 0, upcoming: 0 }) })
    open(['contact.read'])
    expect(await screen.findByText('不在您的数据范围内')).toBeTruthy()
    expect(screen.queryByRole('button', { name: '完成…' })).toBeNull()
  })
})
