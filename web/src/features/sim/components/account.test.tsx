import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { loadNamespaces } from '@/shared/i18n/i18n'
import type { SimPhone } from '@/shared/api/types'
import { renderPage } from '../../../../test/render'
import { ChatView } from './ChatView'
import { MiniView } from './MiniView'

type Chat = NonNullable<SimPhone['chats']>[number]

const person = { id: 'p1', name: '沈小满', gender: 2, unionid: 'u1', friends: 0, unread: 0 } as SimPhone['person']
const account: Chat = {
  kind: 'account',
  id: 'wx1',
  name: '山月茶集',
  state: 'open',
  unread: 0,
  at: '2026-03-02T04:00:00Z',
  lines: [{ id: 'l1', at: '2026-03-02T04:00:00Z', from: 'them', kind: 'template', title: '预约成功通知', text: '门店：湖滨店\n时间：14:00', url: 'https://koi.example/v' }],
  app: {
    openid: 'o1',
    buttons: [
      { name: '新品', type: 'click', at: '0' },
      { name: '更多', at: '1', sub: [{ name: '门店', type: 'view', at: '1.0', url: 'https://koi.example/map' }] },
    ],
    templates: [{ id: 't1', title: '上新提醒', left: 0 }],
  },
}

beforeEach(() => loadNamespaces('sim'))

function show(chat: Chat, View: typeof ChatView = ChatView) {
  const onAct = vi.fn()
  const onOpen = vi.fn()
  renderPage(<View chat={chat} person={person} busy={false} onBack={() => undefined} onAct={onAct} onOpen={onOpen} />, { at: '/', path: '/' })
  return { onAct, onOpen, user: userEvent.setup() }
}

describe('an official account on the phone', () => {
  it('has its menu at the bottom, and opens what a button leads to', async () => {
    const { onAct, onOpen, user } = show(account)
    const menu = await screen.findByRole('group', { name: '菜单' })
    await user.click(within(menu).getByRole('button', { name: '新品' }))
    expect(onAct).toHaveBeenLastCalledWith({ does: 'press', who: 'p1', with: 'wx1', what: '0' })
    expect(within(menu).queryByRole('button', { name: '门店' })).toBeNull()
    await user.click(within(menu).getByRole('button', { name: '更多' }))
    await user.click(within(menu).getByRole('button', { name: '门店' }))
    expect(onAct).toHaveBeenLastCalledWith({ does: 'press', who: 'p1', with: 'wx1', what: '1.0' })
    expect(onOpen).toHaveBeenCalledWith('https://koi.example/map')
  })

  it('lets the customer write instead', async () => {
    const { onAct, user } = show(account)
    await user.click(await screen.findByRole('button', { name: '切换到输入' }))
    await user.type(screen.getByRole('textbox'), '在吗{Enter}')
    expect(onAct).toHaveBeenLastCalledWith({ does: 'ask', who: 'p1', with: 'wx1', text: '在吗' })
  })

  it('shows a notice with its values, and what it leads to', async () => {
    const { onOpen, user } = show(account)
    await user.click(await screen.findByRole('button', { name: /预约成功通知.*湖滨店/ }))
    expect(onOpen).toHaveBeenCalledWith('https://koi.example/v')
  })

  it('lets the account know where the customer is', async () => {
    const { onAct, user } = show({ ...account, app: { openid: 'o1', ...account.app, places: ['上海 外滩'] } })
    await user.click((await screen.findAllByRole('button', { name: '更多' }))[0]!) // of the conversation, not of the menu
    await user.click(await screen.findByRole('menuitem', { name: '上报位置：上海 外滩' }))
    expect(onAct).toHaveBeenLastCalledWith({ does: 'locate', who: 'p1', with: 'wx1', what: '上海 外滩' })
  })

  it('can be followed again, and nothing else, once it is left', async () => {
    const { onAct, user } = show({ ...account, state: 'gone' })
    expect(screen.queryByRole('group', { name: '菜单' })).toBeNull()
    await user.click(await screen.findByRole('button', { name: '重新关注' }))
    expect(onAct).toHaveBeenLastCalledWith({ does: 'follow', who: 'p1', with: 'wx1' })
  })
})

describe('a mini-program on the phone', () => {
  const mini: Chat = { ...account, kind: 'mini', app: { openid: 'o2', loggedIn: false, templates: [{ id: 't2', title: '到货提醒', left: 2 }] } }

  it('takes the number only of somebody who is logged in', async () => {
    const { onAct, user } = show(mini, MiniView)
    expect(((await screen.findByRole('button', { name: '授权' })) as HTMLButtonElement).disabled).toBe(true)
    await user.click(screen.getByRole('button', { name: '登录' }))
    expect(onAct).toHaveBeenLastCalledWith({ does: 'launch', who: 'p1', with: 'wx1', what: undefined })
  })

  it('asks for each message', async () => {
    const { onAct, user } = show({ ...mini, app: { openid: 'o2', loggedIn: true, templates: mini.app?.templates } }, MiniView)
    await user.click(await screen.findByRole('button', { name: '允许一次“到货提醒”' }))
    expect(onAct).toHaveBeenLastCalledWith({ does: 'allow', who: 'p1', with: 'wx1', what: 't2' })
    await user.click(screen.getByRole('button', { name: '拒绝“到货提醒”' }))
    expect(onAct).toHaveBeenLastCalledWith({ does: 'deny', who: 'p1', with: 'wx1', what: 't2' })
    await user.click(screen.getByRole('button', { name: '授权' }))
    expect(onAct).toHaveBeenLastCalledWith({ does: 'phone', who: 'p1', with: 'wx1', what: undefined })
  })
})
