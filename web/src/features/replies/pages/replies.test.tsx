import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Menu, Reply } from '@/shared/api/types'
import { loadNamespaces } from '@/shared/i18n/i18n'
import { renderPage, someone } from '../../../../test/render'
import { json, problem, serve } from '../../../../test/server'
import RepliesPage from './RepliesPage'

const reply = (over: Partial<Reply> = {}): Reply => ({
  id: 'rp_1', account: 'ac_1', name: '门店地址', kind: 'keyword', words: [{ text: '地址', match: 'contains' }], contents: [{ kind: 'text', text: '湖滨路 18 号' }],
  state: 'on', clashes: [], sent: 12, by: '沈知夏', createdAt: '2026-03-01T00:00:00Z', changedAt: '2026-03-01T00:00:00Z', ...over,
})
const menu = (over: Partial<Menu> = {}): Menu => ({
  account: 'ac_1', rev: 3, same: true, buttons: [{ name: '买茶', sub: [{ name: '新品', kind: 'view', url: 'https://a.example' }] }, { name: '会员', kind: 'reply', reply: 'rp_1' }],
  published: { n: 2, buttons: [], at: '2026-03-01T00:00:00Z', by: '沈知夏' }, ...over,
})
const base = {
  'GET /api/replies/accounts': () => json({ items: [{ id: 'ac_1', name: '山月茶集', kind: 'wechat' }] }),
  'GET /api/replies': () => json({ items: [reply(), reply({ id: 'rp_2', name: '在哪', clashes: [{ word: '地址', id: 'rp_1', name: '门店地址' }] })], total: 2 }),
  'GET /api/tags': () => json({ groups: [] }),
  'GET /api/menus/ac_1': () => json(menu()),
  'GET /api/menus/ac_1/stats': () =>
    json({
      from: '2026-03-01', to: '2026-03-03', clicks: 10, people: 6, days: [3, 3, 4], formerAll: { clicks: 4, people: 3 },
      buttons: [{ name: '新品', above: '买茶', kind: 'view', property: 'url', value: 'https://a.example', clicks: 6, people: 4, days: [1, 2, 3] }, { name: '会员', kind: 'reply', property: 'key', value: 'koi-reply-rp_1', clicks: 0, people: 0, days: [0, 0, 0] }],
      former: [{ name: '活动', kind: 'click', property: 'key', value: 'EVENT', clicks: 4, people: 3, days: [2, 1, 1] }],
    }),
}
const writer = someone({ permissions: ['acquire.read', 'acquire.write', 'contact.read', 'import.write'] })
const reader = someone({ permissions: ['acquire.read'] })
const open = (me = writer, at = '/replies') => renderPage(<RepliesPage />, { at, path: '/replies', me })

/** Pastes, for typing letter by letter takes its time. */
const put = async (user: ReturnType<typeof userEvent.setup>, field: HTMLElement, text: string) => {
  await user.click(field)
  await user.paste(text)
}

beforeEach(() => loadNamespaces('replies', 'rules'))
afterEach(() => {
  vi.unstubAllGlobals()
})

describe('auto-replies', () => {
  it('are listed with what clashes, and offer nothing that changes to those who may only read', async () => {
    serve(base)
    open(reader)
    await screen.findByText('门店地址')
    expect(screen.getByRole('img', { name: '“地址”会先被“门店地址”回复。' })).toBeTruthy()
    expect(screen.queryByRole('button', { name: /新建自动回复/ })).toBeNull()
    expect(screen.queryByRole('switch')).toBeNull()
  })
  it('say which rule would answer a message', async () => {
    const seen = serve({ ...base, 'POST /api/replies/try': () => json({ why: 'keyword', id: 'rp_1', name: '门店地址', kind: 'keyword', word: { text: '地址', match: 'contains' }, contents: [{ kind: 'text', text: '湖滨路 18 号！' }], open: true, others: [] }) })
    const user = userEvent.setup()
    open(reader)
    await user.type(await screen.findByRole('textbox', { name: '客户会说什么？' }), '地址在哪{Enter}')
    await screen.findByText('湖滨路 18 号！')
    expect(screen.getByText('“门店地址”：包含“地址”。')).toBeTruthy()
    expect(seen.find((r) => r.path === '/api/replies/try')?.body).toEqual({ account: 'ac_1', kind: 'message', text: '地址在哪' })
  })
  it('are written beside the phone, and the server’s refusal stands at its field', async () => {
    serve({ ...base, 'POST /api/replies': () => problem(422, 'request.invalid', '请求有误', [{ path: 'words[0].text', code: 'reply.bad_pattern', detail: '不是正则' }]) })
    const user = userEvent.setup()
    open()
    await user.click((await screen.findAllByRole('button', { name: /新建自动回复/ }))[0] as HTMLElement)
    const save = await screen.findByRole('button', { name: '保存' })
    expect((save as HTMLButtonElement).disabled).toBe(true)
    await user.type(screen.getByRole('textbox', { name: '名称' }), '发票')
    await user.type(screen.getByRole('textbox', { name: '关键词 1' }), '发票')
    await user.type(screen.getByRole('textbox', { name: '文字' }), '一天内寄出')
    expect(screen.getAllByText('一天内寄出').length).toBeGreaterThan(1)
    await user.click(save)
    expect((await screen.findAllByText('不是正则')).length).toBeGreaterThan(1)
  })
})

describe('customer service', () => {
  const service = { ...base, 'GET /api/replies/accounts': () => json({ items: [{ id: 'ac_3', name: '山月客服', kind: 'wecom' }] }) }
  it('is answered with a menu whose lines say words, choose a rule or open a page', async () => {
    const seen = serve({ ...service, 'POST /api/replies': () => json(reply()) })
    const user = userEvent.setup()
    open()
    await user.click((await screen.findAllByRole('button', { name: /新建自动回复/ }))[0] as HTMLElement)
    await put(user, await screen.findByRole('textbox', { name: '名称' }), '菜单')
    await put(user, screen.getByRole('textbox', { name: '关键词 1' }), '你好')
    await user.click(screen.getByRole('button', { name: '文字' }))
    await user.click(await screen.findByText('菜单消息'))
    await put(user, screen.getByRole('textbox', { name: '菜单上方的话' }), '想看什么？')
    await put(user, screen.getByRole('textbox', { name: '第 1 项' }), '茶单')
    await user.click(screen.getByRole('button', { name: '添加一项' }))
    await put(user, screen.getByRole('textbox', { name: '第 2 项' }), '官网')
    await user.click(screen.getByRole('combobox', { name: '第 2 项点了之后' }))
    await user.click(await screen.findByText('打开网页'))
    const save = screen.getByRole('button', { name: '保存' }) as HTMLButtonElement
    expect(save.disabled, 'the address is missing').toBe(true)
    await put(user, screen.getByRole('textbox', { name: '第 2 项的网址' }), 'https://a.example')
    await user.click(save)
    await waitFor(() =>
      expect((seen.find((r) => r.path === '/api/replies' && r.method === 'POST')?.body as { contents: unknown } | undefined)?.contents).toEqual([
        { kind: 'menu', text: '想看什么？', lines: [{ text: '茶单' }, { text: '官网', url: 'https://a.example' }] },
      ]),
    )
  })
  it('greets with one text or menu, and says why', async () => {
    serve(service)
    const user = userEvent.setup()
    open()
    await user.click((await screen.findAllByRole('button', { name: /新建自动回复/ }))[0] as HTMLElement)
    await user.click(await screen.findByText('关注时', { selector: '.ant-segmented-item-label' }))
    await screen.findByText(/在客户开口之前/)
    expect(screen.queryByRole('button', { name: '再加一条' })).toBeNull()
    await user.click(screen.getByRole('button', { name: '文字' }))
    await screen.findByText('菜单消息')
    expect(screen.queryByText('图文链接')).toBeNull()
  })
})

describe('the menu', () => {
  it('is edited on the phone, moved by keyboard and published with what it replaces told first', async () => {
    const seen = serve({
      ...base,
      'PUT /api/menus/ac_1': () => json(menu({ rev: 4, same: false })),
      'POST /api/menus/ac_1/publish': () => problem(409, 'wechat.no_permission', '公众号没有自定义菜单权限'),
    })
    const user = userEvent.setup()
    open(writer, '/replies?tab=menu')
    const phone = await screen.findByRole('figure', { name: '手机预览' })
    within(phone).getByRole('button', { name: '会员' }).focus()
    await user.keyboard('{Alt>}{ArrowLeft}{/Alt}')
    await screen.findByText('有未保存的修改')
    await user.click(screen.getByRole('button', { name: /发布/ }))
    await user.click(within(await screen.findByRole('dialog')).getByRole('button', { name: '发布' }))
    await screen.findByText('公众号没有自定义菜单权限')
    const sent = seen.find((r) => r.path === '/api/menus/ac_1' && r.method === 'PUT')?.body as { buttons: { name: string }[]; rev: number }
    expect(sent.buttons.map((b) => b.name)).toEqual(['会员', '买茶'])
    expect(sent.rev).toBe(3)
    await waitFor(() => expect(seen.find((r) => r.path === '/api/menus/ac_1/publish')?.body).toEqual({ rev: 4 }))
  })
  it('tells how often each button was tapped and by whom, and sums up those that are gone', async () => {
    serve(base)
    open(writer, '/replies?tab=menu')
    await screen.findByText('点击 10 次')
    expect(screen.getByText('买茶 › 新品')).toBeTruthy()
    const rule = (name: string) => JSON.parse(new URL((screen.getAllByRole('link', { name })[0] as HTMLAnchorElement).href).searchParams.get('where') ?? '') as unknown
    const span = { from: '2026-03-01', to: '2026-03-03' }
    expect(rule('4')).toEqual({ v: 1, all: [{ event: { name: 'menu.clicked', where: [{ property: 'account', op: 'is', value: 'ac_1' }, { property: 'url', op: 'is', value: 'https://a.example' }], within: span } }] })
    expect(rule('6 人')).toEqual({ v: 1, all: [{ event: { name: 'menu.clicked', where: [{ property: 'account', op: 'is', value: 'ac_1' }], within: span } }] })
    expect(screen.queryByRole('link', { name: '0' })).toBeNull()
    expect(screen.getByText('4 次，3 人')).toBeTruthy()
  })
  it('shows no figures to those who see only some customers', async () => {
    serve({ ...base, 'GET /api/menus/ac_1/stats': () => problem(403, 'auth.whole_only', '没有权限') })
    open(reader, '/replies?tab=menu')
    await screen.findByText('统计涉及他人的客户，您看不到数字。')
    expect(screen.queryByText('占比')).toBeNull()
  })
})
