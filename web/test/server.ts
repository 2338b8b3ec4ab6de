import { vi } from 'vitest'

/** A request as the fake server saw it. */
export interface Seen {
  method: string
  path: string
  query: Record<string, string>
  body: unknown
  headers: Headers
}

type Answer = Response | Promise<Response>
type Handler = (seen: Seen) => Answer

/** An answer with a JSON body. */
export function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } })
}

/** A refusal the way the server words it. */
export function problem(status: number, code: string, detail: string, fields?: { path: string; code: string; detail: string }[]): Response {
  return new Response(JSON.stringify({ status, code, title: code, detail, fields, requestId: 'req-1' }), {
    status,
    headers: { 'Content-Type': 'application/problem+json' },
  })
}

/**
 * Replaces fetch by the given handlers, by "METHOD /path". What is not listed
 * answers 404, so a test fails loudly when a page asks for more than expected.
 */
export function serve(handlers: Record<string, Handler>): Seen[] {
  const seen: Seen[] = []
  vi.stubGlobal('fetch', async (input: Request) => {
    const url = new URL(input.url)
    const text = await input.clone().text()
    const call: Seen = { method: input.method, path: url.pathname, query: Object.fromEntries(url.searchParams), body: text ? JSON.parse(text) : undefined, headers: input.headers }
    seen.push(call)
    const handler = handlers[`${call.method} ${call.path}`]
    return handler ? handler(call) : problem(404, 'not_found', `no handler for ${call.method} ${call.path}`)
  })
  return seen
}
