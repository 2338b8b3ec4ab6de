import { screen } from '@testing-library/react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { loadNamespaces } from '@/shared/i18n/i18n'
import { renderPage, someone } from '../../../../test/render'
import { json, serve } from '../../../../test/server'
import PeoplePage from './PeoplePage'

const me = someone({ permissions: ['contact.read', 'overview.read', 'dictionary.read'] })
const open = (at: string) => renderPage(<PeoplePage />, { at, path: '/people', me })
const nobody = { items: [], total: 0 }

beforeEach(() => loadNamespaces('contacts'))
afterEach(() => {
  vi.unstubAllGlobals()
})

describe('people behind a number', () => {
  it('asks over exactly the instants of the number and says how many there are', async () => {
    const seen = serve({ 'GET /api/people': () => json({ items: [{ id: 'c1', name: '陈雨桐', kind: 'person', tags: [], orders: 3, revenue: [], createdAt: '2026-03-01T00:00:00Z' }], total: 417 }) })
    open('/people?metric=repeat&from=2026-03-01T16:00:00.000Z&to=2026-03-08T16:00:00.000Z&channel=social&currency=CNY')
    expect(await screen.findByText('417 位')).toBeTruthy()
    expect(seen[0]?.query).toEqual({ metric: 'repeat', from: '2026-03-01T16:00:00.000Z', to: '2026-03-08T16:00:00.000Z', channel: 'social', currency: 'CNY' })
    expect(screen.getByRole('heading', { name: '复购客户' })).toBeTruthy()
    expect(screen.getByText('2026-03-02 至 2026-03-08 下过两单或更多的客户')).toBeTruthy()
  })

  it('names an event by its title', async () => {
    serve({ 'GET /api/people': () => json(nobody), 'GET /api/dictionary/events': () => json({ items: [{ name: 'coupon', displayName: '领取优惠券' }] }) })
    open('/people?metric=event:coupon')
    expect(await screen.findByRole('heading', { name: '做过“领取优惠券”的客户' })).toBeTruthy()
    expect(await screen.findByText('这段时间没有这样的客户')).toBeTruthy()
  })

  it('tells how many more there are outside the reader’s data scope', async () => {
    serve({ 'GET /api/people': () => json({ items: [], total: 3, outside: 414 }) })
    open('/people?metric=buyers')
    expect(await screen.findByText('另有 414 人不在您的数据范围内')).toBeTruthy()
  })

  it('does not ask for a number that does not exist', () => {
    const seen = serve({})
    open('/people?metric=everyone')
    expect(screen.getByRole('heading', { level: 1, name: '没有这个数字' })).toBeTruthy()
    expect(seen).toEqual([])
  })
})
