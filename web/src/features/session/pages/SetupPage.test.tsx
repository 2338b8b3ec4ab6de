import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { loadNamespaces } from '@/shared/i18n/i18n'
import { renderPage, someone } from '../../../../test/render'
import { json, problem, serve } from '../../../../test/server'
import { SESSION_KEY } from '../queries'
import SetupPage from './SetupPage'

beforeAll(() => loadNamespaces('session'))
afterEach(() => vi.unstubAllGlobals())

const empty = { needed: true, demo: false, version: '1' }
const open = () => renderPage(<SetupPage />, { at: '/setup', path: '/setup' })

async function fill(values: Partial<Record<'company' | 'name' | 'email' | 'password', string>> = {}) {
  const user = userEvent.setup()
  const all = { company: '山月茶集', name: '沈知夏', email: 'zhixia@example.com', password: 'pond-koi-lotus-9', ...values }
  await user.type(await screen.findByLabelText('公司或品牌名称'), all.company)
  await user.type(screen.getByLabelText('姓名'), all.name)
  await user.type(screen.getByLabelText('邮箱'), all.email)
  await user.type(screen.getByLabelText('密码'), all.password)
  await user.click(screen.getByRole('button', { name: '开始使用' }))
}

describe('first run', () => {
  it('sets up the company and its administrator, who is then signed in', async () => {
    const seen = serve({ 'GET /api/setup': () => json(empty), 'POST /api/setup': () => json(someone()) })
    const { client } = open()
    await fill()
    await waitFor(() => expect(screen.getByTestId('where').textContent).toBe('/'))
    expect(seen.find((s) => s.method === 'POST')?.body).toEqual({
      company: '山月茶集',
      timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      currency: 'CNY',
      language: 'zh-CN',
      name: '沈知夏',
      email: 'zhixia@example.com',
      password: 'pond-koi-lotus-9',
    })
    expect(client.getQueryData(SESSION_KEY)).toMatchObject({ user: { id: 'u1' } })
  })

  it('stops a password the server would refuse, before sending it', async () => {
    const seen = serve({ 'GET /api/setup': () => json(empty) })
    open()
    await fill({ password: '1234567890123' })
    expect(await screen.findByText('不能全是数字')).toBeTruthy()
    expect(seen.filter((s) => s.method === 'POST')).toEqual([])
  })

  it('puts the server’s refusal at its field', async () => {
    serve({
      'GET /api/setup': () => json(empty),
      'POST /api/setup': () => problem(422, 'password.weak', '密码太弱', [{ path: 'password', code: 'password.too_common', detail: '这个密码太常见。' }]),
    })
    open()
    await fill()
    const message = await screen.findByText('这个密码太常见。')
    expect(message.closest('.ant-form-item')?.querySelector('input')?.id).toBe('password')
    // Named at its field, so not repeated above the form.
    expect(screen.queryByText('密码太弱')).toBeNull()
  })

  it('shows a refusal that names no field of the form above it', async () => {
    serve({ 'GET /api/setup': () => json(empty), 'POST /api/setup': () => problem(409, 'setup.done', '已经设置过了。') })
    open()
    await fill()
    expect((await screen.findByText('已经设置过了。')).closest('[role=alert]')).toBeTruthy()
  })

  it('is closed once there is an administrator', async () => {
    serve({ 'GET /api/setup': () => json({ ...empty, needed: false }) })
    open()
    await waitFor(() => expect(screen.getByTestId('where').textContent).toBe('/sign-in'))
  })

  it('offers another try when the server cannot say', async () => {
    let down = true
    serve({ 'GET /api/setup': () => (down ? problem(503, 'store.down', '数据库没有响应。') : json(empty)) })
    open()
    expect(await screen.findByText('数据库没有响应。')).toBeTruthy()
    down = false
    await userEvent.click(screen.getByRole('button', { name: '重试' }))
    expect(await screen.findByLabelText('公司或品牌名称')).toBeTruthy()
  })
})
