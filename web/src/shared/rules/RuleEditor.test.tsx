import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { useEffect } from 'react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Rule, RuleField } from '@/shared/api/types'
import { loadNamespaces } from '@/shared/i18n/i18n'
import { renderPage, someone } from '../../../test/render'
import { json, serve } from '../../../test/server'
import { useRuleDraft } from './draft'
import { RuleEditor } from './RuleEditor'

const fields: RuleField[] = [
  { field: 'city', label: '城市', group: 'person', type: 'text', ops: ['is', 'in'] },
  { field: 'orders', label: '订单数', group: 'orders', type: 'number', ops: ['gte', 'between'] },
  { field: 'segment', label: '所在人群', group: 'work', type: 'choice', ops: ['in', 'notIn'], options: [{ value: 'sg_1', label: '老客' }] },
]
const events = { items: [{ name: 'order.paid', title: '下单' }, { name: 'tea.tasted', title: '品茶' }] }
const properties = { items: [{ name: 'kind', title: '品类', type: 'string', samples: ['龙井', '白茶'] }, { name: 'cups', title: '杯数', type: 'number', samples: [] }] }

/** What the editor says, as it is sent. */
let said: Rule | undefined
let ids: ReadonlyMap<string, string>
function Harness({ rule, bad }: { rule?: Rule; bad?: string }) {
  const draft = useRuleDraft(rule)
  const { rule: now, at } = draft
  useEffect(() => {
    said = now
    ids = at
  }, [now, at])
  const id = bad === undefined ? undefined : draft.at.get(bad)
  return <RuleEditor draft={draft} faults={id ? new Map([[id, '请填写数字。']]) : undefined} />
}

function open(rule?: Rule, bad?: string) {
  const seen = serve({
    'GET /api/contacts/fields': () => json({ items: fields }),
    'GET /api/rules/events': () => json(events),
    'GET /api/rules/events/tea.tasted/properties': () => json(properties),
    'GET /api/rules/events/order.paid/properties': () => json({ items: [] }),
  })
  renderPage(<Harness rule={rule} bad={bad} />, { at: '/r', path: '/r', me: someone({ permissions: ['contact.read'] }) })
  return { user: userEvent.setup(), seen }
}
const city = (v: string) => ({ field: 'city', op: 'is', value: v })
const rule = (node: object): Rule => ({ v: 1, ...node }) as Rule

beforeEach(() => loadNamespaces('rules'))
afterEach(() => {
  vi.unstubAllGlobals()
})

describe('rule builder', () => {
  it('says what a total in minor units is in money', async () => {
    const { user } = open(rule({ event: { name: 'order.paid', measure: 'sum', property: 'total', op: 'gte', value: 30000 } }))
    expect(await screen.findByText('即 ¥300.00')).toBeTruthy()
    await user.type(screen.getByRole('spinbutton', { name: '值' }), '0')
    expect(await screen.findByText('即 ¥3,000.00')).toBeTruthy()
  })
  it('adds conditions with the keyboard alone, and takes them back', async () => {
    const { user } = open()
    await user.click(await screen.findByRole('button', { name: '加条件' }))
    const box = await screen.findByRole('combobox', { name: '搜索条件' })
    await waitFor(() => expect(document.activeElement).toBe(box))
    await user.keyboard('品茶')
    expect(screen.getAllByRole('option').map((o) => o.textContent)).toEqual(['品茶tea.tasted'])
    await user.keyboard('{Enter}')
    await waitFor(() => expect(said).toEqual({ v: 1, all: [{ event: { name: 'tea.tasted', op: 'gte', value: 1, within: { last: 30, unit: 'day' } } }] }))
    // The focus is on the new condition; what is typed there and undone there are one rule's changes.
    const times = screen.getByRole('spinbutton', { name: '值' })
    await user.clear(times)
    expect(said).toBeUndefined()
    expect(screen.getByText('还没填完，先不计入。')).toBeTruthy()
    await user.type(times, '3')
    expect(said).toMatchObject({ all: [{ event: { value: 3 } }] })
    await user.keyboard('{Control>}z{/Control}')
    expect(said).toMatchObject({ all: [{ event: { value: 1 } }] })
    await user.keyboard('{Control>}z{/Control}')
    expect(said).toBeUndefined()
    await user.click(screen.getByRole('button', { name: /重做/ }))
    expect(said).toMatchObject({ all: [{ event: { value: 1 } }] })
  })

  it('goes round the list of what can be asked with arrows, and closes on Escape', async () => {
    const { user } = open()
    const add = await screen.findByRole('button', { name: '加条件' })
    await user.click(add)
    const box = await screen.findByRole('combobox', { name: '搜索条件' })
    await user.type(box, '城市')
    await user.keyboard('{ArrowDown}{ArrowUp}')
    expect(screen.getByRole('option', { selected: true }).textContent).toBe('城市')
    await user.clear(box)
    await user.keyboard('{ArrowUp}') // from the first to the last
    expect(screen.getByRole('option', { selected: true }).textContent).toBe('订单数')
    await user.keyboard('{Escape}')
    await waitFor(() => expect(document.activeElement).toBe(add))
    expect(said).toBeUndefined()
  })

  it('moves a condition with Alt and arrows, into groups and out of them', async () => {
    const { user } = open(rule({ all: [city('a'), { any: [city('b')] }] }))
    const handles = await screen.findAllByRole('button', { name: '拖动这个条件' })
    handles[0]!.focus()
    await user.keyboard('{Alt>}{ArrowDown}{/Alt}')
    expect(said).toEqual(rule({ all: [{ any: [city('a'), city('b')] }] }))
    await waitFor(() => expect(document.activeElement?.getAttribute('data-handle')).not.toBeNull())
    await user.keyboard('{Alt>}{ArrowDown}{ArrowDown}{/Alt}')
    expect(said).toEqual(rule({ all: [{ any: [city('b')] }, city('a')] }))
  })

  it('joins, wraps, turns off and removes', async () => {
    const { user } = open(rule({ all: [city('a'), city('b')] }))
    await user.click(await screen.findByRole('button', { name: '这组条件的关系：全部满足' }))
    await user.click(await screen.findByRole('menuitem', { name: '都不满足' }))
    expect(said).toEqual(rule({ none: [city('a'), city('b')] }))
    const menu = async (n: number, name: RegExp) => {
      await user.click(screen.getAllByRole('button', { name: '更多操作' })[n]!)
      await user.click((await screen.findAllByRole('menuitem', { name })).at(-1)!)
    }
    await menu(0, /套进条件组/)
    expect(said).toEqual(rule({ none: [{ all: [city('a')] }, city('b')] }))
    await menu(2, /先停用/)
    expect(said).toEqual(rule({ none: [{ all: [city('a')] }] }))
    await user.click(screen.getByRole('button', { name: '去掉这组条件' }))
    expect(said).toBeUndefined()
    expect(screen.getByText('已停用，不计入。')).toBeTruthy()
  })

  it('shows a fault at the part that it is about', async () => {
    open(rule({ all: [city('a'), { any: [{ event: { name: 'order.paid' } }] }] }), 'all[1].any[0]')
    const fault = await screen.findByRole('alert')
    expect(fault.textContent).toBe('请填写数字。')
    expect(fault.closest('[data-part]')?.getAttribute('data-part')).toBe(ids.get('all[1].any[0]'))
  })

  it('narrows facts by properties with the values that occur, and asks for numbers where they are numbers', async () => {
    const { user } = open(rule({ all: [{ event: { name: 'tea.tasted' } }] }))
    await user.click(await screen.findByRole('button', { name: '限定属性' }))
    const where = await screen.findByRole('group', { name: '第 1 个属性条件' })
    await user.click(within(where).getByRole('combobox', { name: '事件属性' }))
    await user.click(await screen.findByTitle('品类'))
    await user.click(within(where).getByRole('combobox', { name: '值' }))
    await user.click(await screen.findByTitle('白茶'))
    expect(said).toEqual(rule({ all: [{ event: { name: 'tea.tasted', where: [{ property: 'kind', op: 'is', value: '白茶' }] } }] }))
    await user.click(within(where).getByRole('combobox', { name: '事件属性' }))
    await user.click(await screen.findByTitle('杯数'))
    await user.type(within(where).getByRole('spinbutton', { name: '值' }), '2.5')
    expect(said).toMatchObject({ all: [{ event: { where: [{ property: 'cups', value: 2.5 }] } }] })
  })

  it('adds steps to a sequence and changes their order', async () => {
    const sequence = { steps: [{ name: 'order.paid' }, { name: 'tea.tasted' }], gap: { n: 7, unit: 'day' } }
    const { user } = open(rule({ all: [{ sequence }] }))
    await user.click(await screen.findByRole('button', { name: '第 2 步上移' }))
    expect(said).toEqual(rule({ all: [{ sequence: { ...sequence, steps: [{ name: 'tea.tasted' }, { name: 'order.paid' }] } }] }))
    await user.click(screen.getByRole('checkbox', { name: '每两步相隔不超过' }))
    expect(said).toEqual(rule({ all: [{ sequence: { steps: [{ name: 'tea.tasted' }, { name: 'order.paid' }] } }] }))
    await user.click(screen.getByRole('button', { name: '加一步' }))
    expect(said).toBeUndefined() // the new step has no event yet
    await user.click(screen.getByRole('button', { name: '去掉第 3 步' }))
    expect(said).toBeDefined()
  })
})
