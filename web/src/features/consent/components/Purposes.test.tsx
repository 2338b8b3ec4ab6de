import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ConsentPurpose } from '@/shared/api/types'
import { loadNamespaces } from '@/shared/i18n/i18n'
import { renderPage, someone } from '../../../../test/render'
import { json, serve } from '../../../../test/server'
import { Purposes } from './Purposes'

const marketing: ConsentPurpose = {
  id: 'marketing',
  name: { zh: '营销推送', en: 'Marketing' },
  description: { zh: '新品与优惠', en: 'News' },
  basis: 'consent',
  default: false,
  channels: ['sms', 'email'],
  separate: false,
  selfGrant: true,
  order: 20,
  archived: false,
  builtin: true,
  current: 1,
  wordings: [{ version: 1, text: { zh: '我同意', en: 'I agree' }, effectiveAt: '1970-01-01T00:00:00Z', createdAt: '1970-01-01T00:00:00Z' }],
}

interface Asked {
  lang: string
  draft: { id?: string; name?: { zh: string; en: string }; wording?: { zh: string; en: string } }
}

/** Serves the page, and keeps what previews were asked for. */
function open(permissions: string[]) {
  const asked: Asked[] = []
  serve({
    'GET /api/consent/purposes': () => json({ items: [marketing] }),
    'POST /api/consent/preview': (call) => {
      const body = call.body as Asked
      asked.push(body)
      return json({ html: `<p>page ${body.draft.name?.zh ?? ''}</p>` })
    },
  })
  renderPage(<Purposes />, { at: '/consent', path: '/consent', me: someone({ permissions: permissions as never }) })
  return asked
}

beforeEach(() => loadNamespaces('consent'))
afterEach(() => {
  vi.unstubAllGlobals()
})

describe('the editor of a purpose', () => {
  it('shows the page in a frame without rights, with what is typed', async () => {
    const asked = open(['contact.read', 'settings.write'])
    const user = userEvent.setup()
    await user.click(await screen.findByText('营销推送'))
    const frame = await screen.findByTitle('偏好页面预览')
    expect(frame.getAttribute('sandbox')).toBe('')
    const name = screen.getByLabelText('名称 · 中文')
    await user.clear(name)
    await user.type(name, '新品')
    await waitFor(() => expect(asked.at(-1)?.draft.name?.zh).toBe('新品'), { timeout: 3000 })
    expect(asked.at(-1)?.draft.id).toBe('marketing')
    await waitFor(() => expect(frame.getAttribute('srcdoc')).toContain('page 新品'))
    expect(asked.length, 'a page is not asked for at every key').toBeLessThan(6)

    await user.type(screen.getByLabelText('新版本 · 英文'), 'I want news')
    await waitFor(() => expect(asked.at(-1)?.draft.wording?.en).toBe('I want news'), { timeout: 3000 })
    await user.click(within(screen.getByRole('region', { name: '客户看到的样子' })).getByText('English'))
    await waitFor(() => expect(asked.at(-1)?.lang).toBe('en'))
  })

  it('is for reading without the permission, and still shows the page', async () => {
    open(['contact.read'])
    await userEvent.setup().click(await screen.findByText('营销推送'))
    expect(await screen.findByTitle('偏好页面预览')).toBeTruthy()
    expect(screen.getByLabelText('名称 · 中文').hasAttribute('disabled')).toBe(true)
    expect(screen.queryByText('发布')).toBeNull()
  })
})
