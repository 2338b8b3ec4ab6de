import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { changeLang, currentLang, loadNamespaces } from '@/shared/i18n/i18n'
import { renderPage, someone } from '../../../../test/render'
import { json, problem, serve } from '../../../../test/server'
import SignInPage from './SignInPage'

beforeAll(() => loadNamespaces('session'))
afterEach(() => vi.unstubAllGlobals())

const ready = { needed: false, demo: false, version: '1' }
const open = (at = '/sign-in') => renderPage(<SignInPage />, { at, path: '/sign-in' })

async function fill(email: string, password: string) {
  const user = userEvent.setup()
  await user.type(await screen.findByLabelText('邮箱'), email)
  await user.type(screen.getByLabelText('密码'), password)
  await user.click(screen.getByRole('button', { name: '登录' }))
}

describe('sign in', () => {
  it('signs in and returns to where the reader was', async () => {
    const seen = serve({ 'GET /api/setup': () => json(ready), 'POST /api/session': () => json(someone()) })
    open('/sign-in?next=' + encodeURIComponent('/contacts?q=茶'))
    await fill(' zhixia@example.com ', 'a good password')
    await waitFor(() => expect(screen.getByTestId('where').textContent).toBe('/contacts?q=茶'))
    expect(seen.find((s) => s.method === 'POST')?.body).toEqual({ email: 'zhixia@example.com', password: 'a good password' })
  })

  it('takes over the user’s language', async () => {
    const me = someone()
    serve({ 'GET /api/setup': () => json(ready), 'POST /api/session': () => json({ ...me, user: { ...me.user, language: 'en' } }) })
    open()
    await fill('a@b.cn', 'x')
    await screen.findByTestId('where')
    expect(currentLang()).toBe('en')
  })

  it('keeps the language chosen on the page, and stores it on the user', async () => {
    const seen = serve({
      'GET /api/setup': () => json(ready),
      'POST /api/session': () => json(someone()),
      'PATCH /api/session/user': () => json({ ...someone(), user: { ...someone().user, language: 'en' } }),
    })
    const user = userEvent.setup()
    open()
    await user.click(await screen.findByRole('button', { name: 'English' }))
    await user.type(await screen.findByLabelText('E-mail'), 'a@b.cn')
    await user.type(screen.getByLabelText('Password'), 'x')
    await user.click(screen.getByRole('button', { name: 'Sign in' }))
    await screen.findByTestId('where')
    expect(currentLang()).toBe('en')
    expect(seen.find((s) => s.method === 'PATCH')?.body).toEqual({ language: 'en' })
  })

  it('shows why it was refused and stays', async () => {
    serve({ 'GET /api/setup': () => json(ready), 'POST /api/session': () => problem(401, 'session.bad_credentials', '邮箱或密码不正确。') })
    open()
    await fill('a@b.cn', 'wrong')
    expect((await screen.findByRole('alert')).textContent).toContain('邮箱或密码不正确。')
    expect(screen.queryByTestId('where')).toBeNull()
  })

  it('says so when the server cannot be reached', async () => {
    serve({ 'GET /api/setup': () => json(ready), 'POST /api/session': () => Promise.reject(new TypeError('down')) })
    open()
    await fill('a@b.cn', 'x')
    expect((await screen.findByRole('alert')).textContent).toContain('请检查网络')
  })

  it('does not send an incomplete form', async () => {
    const seen = serve({ 'GET /api/setup': () => json(ready) })
    open()
    await userEvent.click(await screen.findByRole('button', { name: '登录' }))
    expect(await screen.findByText('请填写邮箱')).toBeTruthy()
    expect(seen.filter((s) => s.method === 'POST')).toEqual([])
  })

  it('sends an empty server’s visitor to the first run', async () => {
    serve({ 'GET /api/setup': () => json({ ...ready, needed: true }) })
    open()
    await waitFor(() => expect(screen.getByTestId('where').textContent).toBe('/setup'))
  })

  it('fills in the demo’s account on request, and only in the demo', async () => {
    serve({ 'GET /api/setup': () => json({ ...ready, demo: true, demoAccount: { email: 'demo@example.com', password: 'demo-pass' } }) })
    open()
    await userEvent.click(await screen.findByRole('button', { name: '填入' }))
    expect((screen.getByLabelText('邮箱') as HTMLInputElement).value).toBe('demo@example.com')
    expect((screen.getByLabelText('密码') as HTMLInputElement).value).toBe('demo-pass')
  })

  it('shows no demo hint elsewhere, in English too', async () => {
    serve({ 'GET /api/setup': () => json(ready) })
    await changeLang('en')
    open()
    expect(await screen.findByText('Version 1')).toBeTruthy()
    expect(screen.getByRole('heading', { name: 'Sign in to Koipond' })).toBeTruthy()
    expect(screen.queryByText('This is the demo')).toBeNull()
  })
})
