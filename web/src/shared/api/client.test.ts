import { afterEach, describe, expect, it, vi } from 'vitest'
import { json, problem, serve } from '../../../test/server'
import { changeLang } from '../i18n/i18n'
import { api, idempotencyKey, onSignedOut, unwrap } from './client'
import { ApiError, NetworkError } from './errors'
import { shouldRetry } from './query'

afterEach(() => {
  vi.unstubAllGlobals()
  onSignedOut(() => undefined)
})

describe('client', () => {
  it('sends the page’s language and gives back the body', async () => {
    const seen = serve({ 'GET /api/jobs/j1': () => json({ id: 'j1' }) })
    await changeLang('en')
    const job = await unwrap(api.GET('/api/jobs/{id}', { params: { path: { id: 'j1' } } }))
    expect(job.id).toBe('j1')
    expect(seen[0]?.headers.get('Accept-Language')).toBe('en')
  })

  it('throws the server’s words', async () => {
    serve({ 'GET /api/system': () => problem(503, 'store.down', '分析库没有响应。') })
    await expect(unwrap(api.GET('/api/system'))).rejects.toMatchObject({ code: 'store.down', detail: '分析库没有响应。', status: 503 })
  })

  it('ends the session on a 401 in the middle of work, and only then', async () => {
    const out = vi.fn()
    onSignedOut(out)
    serve({
      'GET /api/system': () => problem(401, 'session.required', 'x'),
      'GET /api/session': () => problem(401, 'session.required', 'x'),
      'POST /api/session': () => problem(401, 'session.bad_credentials', 'x'),
      'GET /api/users': () => problem(403, 'permission.denied', 'x'),
    })
    await expect(unwrap(api.GET('/api/session'))).rejects.toBeInstanceOf(ApiError)
    await expect(unwrap(api.POST('/api/session', { body: { email: 'a', password: 'b' } }))).rejects.toBeInstanceOf(ApiError)
    await expect(unwrap(api.GET('/api/users'))).rejects.toBeInstanceOf(ApiError)
    expect(out).not.toHaveBeenCalled()
    await expect(unwrap(api.GET('/api/system'))).rejects.toBeInstanceOf(ApiError)
    expect(out).toHaveBeenCalledOnce()
  })

  it('says when there was no answer at all', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')))
    await expect(unwrap(api.GET('/api/system'))).rejects.toBeInstanceOf(NetworkError)
  })

  it('lets a cancelled request stay a cancellation', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new DOMException('aborted', 'AbortError')))
    await expect(unwrap(api.GET('/api/system'))).rejects.toHaveProperty('name', 'AbortError')
  })
})

describe('shouldRetry', () => {
  const failure = (status: number) => new ApiError({ status, code: 'x', detail: '' })
  it.each([
    [failure(500), 0, true],
    [failure(503), 1, true],
    [failure(503), 2, false],
    [failure(429), 0, true],
    [failure(404), 0, false],
    [failure(422), 0, false],
    [new NetworkError('x'), 0, true],
  ])('%s after %i failures: %s', (error, failures, want) => {
    expect(shouldRetry(failures, error)).toBe(want)
  })
})

it('idempotencyKey never repeats and fits the server’s limit', () => {
  const keys = new Set(Array.from({ length: 1000 }, idempotencyKey))
  expect(keys.size).toBe(1000)
  for (const k of keys) expect(k).toMatch(/^[0-9a-f]{32}$/)
})
