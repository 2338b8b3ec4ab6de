import { describe, expect, it } from 'vitest'
import { CODE_UNREADABLE, errorFrom, isDenied, isSignedOut } from './errors'

const answer = (body: string, status: number, type: string, headers: Record<string, string> = {}) =>
  new Response(body, { status, headers: { 'Content-Type': type, ...headers } })

describe('errorFrom', () => {
  it('reads a problem document whole', async () => {
    const error = await errorFrom(
      answer(
        JSON.stringify({ status: 422, code: 'request.invalid', title: 'x', detail: '请修改', fields: [{ path: 'email', code: 'taken', detail: '已被使用' }], requestId: 'r-9' }),
        422,
        'application/problem+json',
      ),
    )
    expect(error).toMatchObject({ status: 422, code: 'request.invalid', detail: '请修改', requestId: 'r-9' })
    expect(error.fields).toEqual([{ path: 'email', code: 'taken', detail: '已被使用' }])
  })

  it('falls back to the title and to the header’s request id', async () => {
    const error = await errorFrom(answer(JSON.stringify({ code: 'x.y', title: '标题' }), 409, 'application/json; charset=utf-8', { 'X-Request-Id': 'r-1' }))
    expect(error).toMatchObject({ detail: '标题', requestId: 'r-1', fields: [] })
  })

  it.each([
    ['a proxy’s page', '<html>Bad gateway</html>', 'text/html'],
    ['JSON that is not a problem', '{"error":"nope"}', 'application/json'],
    ['JSON cut off', '{"code":"x', 'application/problem+json'],
    ['null', 'null', 'application/json'],
  ])('calls %s unreadable', async (_, body, type) => {
    const error = await errorFrom(answer(body, 502, type, { 'X-Request-Id': 'r-2' }))
    expect(error).toMatchObject({ status: 502, code: CODE_UNREADABLE, detail: '', requestId: 'r-2' })
  })

  it('tells a denial from a lost session', async () => {
    const denied = await errorFrom(answer('{"code":"permission.denied","detail":"x"}', 403, 'application/problem+json'))
    const out = await errorFrom(answer('{"code":"session.required","detail":"x"}', 401, 'application/problem+json'))
    expect([isDenied(denied), isSignedOut(denied)]).toEqual([true, false])
    expect([isDenied(out), isSignedOut(out)]).toEqual([false, true])
    expect(isDenied(new Error('x'))).toBe(false)
  })
})
