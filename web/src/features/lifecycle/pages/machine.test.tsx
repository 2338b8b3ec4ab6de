import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Contact, Machine, MachineState } from '@/shared/api/types'
import { loadNamespaces } from '@/shared/i18n/i18n'
import { renderPage, someone } from '../../../../test/render'
import { json, problem, serve } from '../../../../test/server'
import { BulkPlace } from '../components/BulkPlace'
import { ContactStanding } from '../components/ContactStanding'
import LifecyclePage from './LifecyclePage'
import PoolsPage from './PoolsPage'

type StateView = NonNullable<Machine['states']>[number]

const state = (id: string, label: string, over: Partial<StateView> = {}): StateView => ({
  id, label, name: { zh: label }, color: '#2f8f83', note: {}, carriers: {}, from: [], stay: 0, count: 0, hand: 0, sentence: '订单数至少 1', rule: { v: 1, all: [{ field: 'orders', op: 'gte', value: 1 }] } as MachineState['rule'], ...over,
})
const machine = (over: Partial<Machine> = {}): Machine => ({
  version: 3, changedAt: '2026-03-01T00:00:00Z', changedBy: { id: 'u1', name: '沈知夏' }, moved: 0, total: 100, unknown: 0, since: '2026-02-01', defaults: [],
  states: [state('client', '客户型', { count: 25, before: 20, hand: 2 }), state('nurture', '养育型', { count: 75, before: 80, rule: undefined, sentence: undefined })], ...over,
})
const flow = (moves: { from: string; to: string; count: number; value: string }[] = []) => ({ limited: false, months: [{ month: '2026-03', moves }] })
const placed = { items: [{ contact: { id: 'ct_1', name: '陈雨桐' }, state: 'client', label: '客户型', color: '#2f8f83', until: '2026-04-10', at: '2026-03-01T00:00:00Z', by: { id: 'u1', name: '沈知夏' }, note: '老板的朋友' }] }
const none = { items: [] }
const keeper = someone({ permissions: ['segment.read', 'segment.write', 'contact.read', 'contact.write'] })
const reader = someone({ permissions: ['segment.read', 'contact.read'] })
const at = { at: '/pools', path: '/pools' }

beforeEach(() => loadNamespaces('lifecycle', 'rules'))
afterEach(() => {
  vi.unstubAllGlobals()
})

describe('the page of a machine', () => {
  it('shows how many stand where, against a month ago, and whom colleagues placed; numbers open their people', async () => {
    serve({ 'GET /api/pools': () => json(machine()), 'GET /api/pools/flow': () => json(flow([{ from: 'nurture', to: 'client', count: 7, value: '2026-03:nurture:client' }])), 'GET /api/pools/pins': () => json(placed) })
    renderPage(<PoolsPage />, { ...at, me: keeper })
    const board = await screen.findByRole('link', { name: '客户型：25 人，查看名单' })
    expect(decodeURIComponent(board.getAttribute('href') ?? '')).toContain('{"field":"pool","op":"in","value":["client"]}')
    expect(screen.getByText(/\+5 较一个月前/)).toBeTruthy()
    expect(screen.getByText('兜底')).toBeTruthy()
    expect(decodeURIComponent(screen.getByRole('link', { name: '2 人手动放置' }).getAttribute('href') ?? '')).toContain('[{"field":"pool","op":"in","value":["client"]},{"field":"poolHand","op":"in","value":["hand"]}]')
    const list = await screen.findByRole('list', { name: '手动放置的人' })
    expect(within(list).getByRole('link', { name: '陈雨桐' }).getAttribute('href')).toBe('/contacts/ct_1')
    expect(within(list).getByText(/老板的朋友/)).toBeTruthy()
    expect((await screen.findByRole('link', { name: '7' })).getAttribute('href')).toContain('poolMove')
  })

  it('lets somebody go who was placed by hand', async () => {
    let held = true
    const seen = serve({
      'GET /api/pools': () => json(machine()),
      'GET /api/pools/flow': () => json(flow()),
      'GET /api/pools/pins': () => json(held ? placed : none),
      'DELETE /api/pools/pins/ct_1': () => ((held = false), new Response(null, { status: 204 })),
    })
    renderPage(<PoolsPage />, { ...at, me: keeper })
    await userEvent.click(await screen.findByRole('button', { name: '解除 陈雨桐' }))
    await screen.findByText(/没有手动放置的人/)
    expect(seen.filter((s) => s.method === 'DELETE')).toHaveLength(1)
  })

  it('says that everybody is being sorted, that there is no record yet, and what went wrong; readers change nothing', async () => {
    serve({ 'GET /api/lifecycle': () => json(machine({ job: 'jb_1', since: undefined })), 'GET /api/lifecycle/flow': () => json({ ...flow(), limited: true }), 'GET /api/lifecycle/pins': () => json(placed) })
    const first = renderPage(<LifecyclePage />, { at: '/lifecycle', path: '/lifecycle', me: reader })
    await screen.findByText(/正在按新的定义重新归类/)
    expect(await screen.findByText('只有能看到全部客户的人才能看流向')).toBeTruthy()
    await screen.findByText('陈雨桐')
    expect(screen.queryByRole('button', { name: /解除|编辑阶段/ })).toBeNull()
    first.unmount()
    serve({ 'GET /api/lifecycle': () => problem(403, 'permission.denied', '你没有权限查看') })
    renderPage(<LifecyclePage />, { at: '/lifecycle', path: '/lifecycle', me: reader })
    expect(await screen.findByText('你没有权限查看')).toBeTruthy()
  })

  it('shows who would move before it saves, and says at once when somebody was quicker', async () => {
    const seen = serve({
      'GET /api/pools': () => json(machine()),
      'GET /api/pools/flow': () => json(flow()),
      'GET /api/pools/pins': () => json(none),
      'POST /api/pools/preview': () => json({ total: 100, moved: 4, counts: { client: 29, nurture: 71 }, moves: [{ from: 'nurture', to: 'client', count: 4 }] }),
      'PUT /api/pools': () => problem(409, 'machine.changed_meanwhile', '王芳 刚刚改过，请刷新后再改'),
      'GET /api/contacts/fields': () => json(none),
      'GET /api/rules/events': () => json(none),
    })
    const user = userEvent.setup()
    renderPage(<PoolsPage />, { ...at, me: keeper })
    await user.click(await screen.findByRole('button', { name: '编辑池' }))
    const save = await screen.findByRole<HTMLButtonElement>('button', { name: '保存并重新归类' })
    expect(save.disabled).toBe(true)
    const name = screen.getByLabelText('名称（中文）')
    await user.clear(name)
    await user.type(name, '老客户')
    await user.click(screen.getByRole('button', { name: '预览变动' }))
    expect(await screen.findByText('100 人中有 4 人会换到别处')).toBeTruthy()
    await user.click(save)
    expect(await screen.findByText(/王芳 刚刚改过/)).toBeTruthy()
    const sent = seen.find((s) => s.method === 'PUT')?.body as { version: number; states: MachineState[] }
    expect(sent.version).toBe(3)
    expect(sent.states.map((s) => s.name.zh)).toEqual(['老客户', '养育型'])
    expect(Object.keys(sent.states[0] ?? {})).not.toContain('count')
    await user.type(name, '们') // another draft wants another preview
    expect(save.disabled).toBe(true)
  })
})

const contact = (over: Partial<Contact> = {}) =>
  ({ id: 'ct_1', name: '陈雨桐', kind: 'person', stage: { id: 'new', name: '新客', color: '#3f7cac', since: '2026-03-01T00:00:00Z' }, pool: { id: 'nurture', name: '养育型', color: '#2f8f83', since: '2026-03-01T00:00:00Z' }, ...over }) as Contact

describe('where a contact stands', () => {
  const base = { 'GET /api/contacts/ct_1/moves/lifecycle': () => json(none), 'GET /api/pools': () => json(machine()) }

  it('moves it by hand with a reason and a day, and shows the choice that holds', async () => {
    let pinned = false
    const seen = serve({
      ...base,
      'GET /api/contacts/ct_1/moves/pools': () =>
        json(pinned ? { items: [{ at: '2026-03-02T00:00:00Z', from: '养育型', to: '客户型', color: '#c2553f', reason: 'hand', note: '约好了', by: { id: 'u1', name: '沈知夏' } }], pin: { until: '2026-04-10', at: '2026-03-02T00:00:00Z', by: { id: 'u1', name: '沈知夏' }, note: '约好了' } } : none),
      'POST /api/pools/pins': () => ((pinned = true), json({ moved: 1 })),
    })
    const user = userEvent.setup()
    renderPage(<ContactStanding contact={contact()} />, { ...at, me: keeper })
    await user.click(await screen.findByRole('button', { name: '移到别的池' }))
    const go = await screen.findByRole<HTMLButtonElement>('button', { name: '移动', hidden: false })
    const dialog = screen.getByRole('dialog')
    expect(within(dialog).getByRole<HTMLButtonElement>('button', { name: '移动' }).disabled).toBe(true)
    await user.click(within(dialog).getByRole('combobox', { name: '移到哪个池' }))
    await user.click(await screen.findByTitle('客户型'))
    await user.type(within(dialog).getByLabelText('原因'), ' 约好了 ')
    await user.click(within(dialog).getByRole('button', { name: '移动' }))
    expect(await screen.findByText(/由 沈知夏 手动放置，固定到 2026-04-10/)).toBeTruthy()
    const body = seen.find((s) => s.method === 'POST')?.body as Record<string, unknown>
    expect(body).toMatchObject({ contacts: ['ct_1'], state: 'client', note: '约好了' })
    expect(body.until).toMatch(/^\d{4}-\d\d-\d\d$/)
    expect(go).toBeTruthy()
  })

  it('offers nothing to those who may only read, and waits for those not sorted yet', async () => {
    serve({ ...base, 'GET /api/contacts/ct_1/moves/pools': () => json(none) })
    renderPage(<ContactStanding contact={contact({ pool: undefined })} />, { ...at, me: reader })
    expect(await screen.findByText('还没有归类，通常几秒内完成。')).toBeTruthy()
    expect(screen.queryByRole('button', { name: /移到别的/ })).toBeNull()
  })
})

describe('work on many', () => {
  const who = { body: { filter: { kind: 'person' as const } }, count: 30, rows: [], done: () => undefined }
  const reach = { total: 28, there: 3, held: 1, skipped: 2 }

  it('tells whom it concerns, follows the work, stops it and lets its people go', async () => {
    let state = 'running'
    const run = (over = {}) => ({ id: 'jb_1', state, release: false, done: 10, total: 28, placed: 10, moved: 7, ...over })
    const seen = serve({
      'GET /api/pools': () => json(machine()),
      'POST /api/pools/pins/bulk': ({ body }) => json((body as { preview?: boolean }).preview ? reach : { ...reach, run: run() }),
      'GET /api/pools/pins/runs/jb_1': () => json(run()),
      'POST /api/pools/pins/runs/jb_1/cancel': () => ((state = 'cancelled'), json(run())),
      'POST /api/pools/pins/runs/jb_1/release': () => json(run({ id: 'jb_2', state: 'succeeded', release: true })),
      'GET /api/pools/pins/runs/jb_2': () => json(run({ id: 'jb_2', state: 'succeeded', release: true })),
    })
    const user = userEvent.setup()
    renderPage(<BulkPlace selection={who} />, { ...at, me: keeper })
    await user.click(screen.getByRole('button', { name: '移动阶段或池' }))
    const dialog = await screen.findByRole('dialog', { name: '移动 30 位客户的阶段或池' })
    expect(await within(dialog).findByText('将移动 28 人')).toBeTruthy()
    expect(within(dialog).getByText(/2 位访客被跳过/)).toBeTruthy()
    await user.click(within(dialog).getByRole('combobox', { name: '移到哪个池' }))
    await user.click(await screen.findByTitle('客户型'))
    await user.type(within(dialog).getByLabelText('原因'), '双十一')
    const go = await within(dialog).findByRole<HTMLButtonElement>('button', { name: '移动' })
    await waitFor(() => expect(go.disabled).toBe(false))
    await user.click(go)
    expect((await within(dialog).findByRole('progressbar')).getAttribute('aria-valuenow')).toBe('35')
    await user.click(within(dialog).getByRole('button', { name: '停止' }))
    expect(await within(dialog).findByText('已放置 10 人，其中 7 人换了位置')).toBeTruthy()
    expect(within(dialog).getByText(/已停止/)).toBeTruthy()
    await user.click(within(dialog).getByRole('button', { name: /解除这一批/ }))
    expect(await within(dialog).findByText('已解除 10 人，重新由规则决定')).toBeTruthy()
    const sent = seen.filter((s) => s.path === '/api/pools/pins/bulk' && !(s.body as { preview?: boolean }).preview)
    expect(sent).toHaveLength(1)
    expect(sent[0]?.body).toMatchObject({ filter: { kind: 'person' }, state: 'client', note: '双十一' })
    expect(sent[0]?.headers.get('Idempotency-Key')).toBeTruthy()
  })

  it('lets rules decide again only where somebody was placed', async () => {
    let held = 0
    serve({ 'GET /api/pools': () => json(machine()), 'POST /api/pools/pins/bulk': () => json({ ...reach, held }), 'POST /api/lifecycle/pins/bulk': () => json({ ...reach, held: 4 }), 'GET /api/lifecycle': () => json(machine()) })
    const user = userEvent.setup()
    renderPage(<BulkPlace selection={who} />, { ...at, me: keeper })
    await user.click(screen.getByRole('button', { name: '移动阶段或池' }))
    await user.click(await screen.findByText('交还给规则', { selector: '.ant-segmented-item-label' }))
    expect(await screen.findByText('这些人里没有手动放置的。')).toBeTruthy()
    expect(screen.getByRole<HTMLButtonElement>('button', { name: '交还给规则' }).disabled).toBe(true)
    held = 1
    await user.click(screen.getByText('阶段', { selector: '.ant-segmented-item-label' }))
    expect(await screen.findByText('4 人是手动放置的，将交还给规则')).toBeTruthy()
    expect(screen.getByRole<HTMLButtonElement>('button', { name: '交还给规则' }).disabled).toBe(false)
  })
})
