import createClient, { type Middleware } from 'openapi-fetch'
import { currentLang } from '../i18n/i18n'
import { errorFrom, NetworkError } from './errors'
import type { paths } from './types'

/** Paths whose 401 means "wrong password" or "not signed in yet", and not "your session ended". */
const EXPECTS_401 = /^\/api\/(session|setup)$/

let signedOut: () => void = () => undefined

/** Registers what happens when the server says the session is over. The router sets it once. */
export function onSignedOut(handler: () => void): void {
  signedOut = handler
}

/** The language goes with every request, so that the server's words match the page. */
const language: Middleware = {
  onRequest({ request }) {
    request.headers.set('Accept-Language', currentLang())
    return request
  },
}

/** Every answer outside 2xx becomes an ApiError; a 401 in the middle of work ends the session. */
const failures: Middleware = {
  async onResponse({ request, response }) {
    if (response.ok) return undefined
    const error = await errorFrom(response)
    if (error.status === 401 && !EXPECTS_401.test(new URL(request.url).pathname)) signedOut()
    throw error
  },
  onError({ error }) {
    if (error instanceof DOMException && error.name === 'AbortError') return undefined
    return new NetworkError(error)
  },
}

/** The typed client. Queries call `unwrap(api.GET(...))`. */
export const api = createClient<paths>({
  baseUrl: window.location.origin,
  credentials: 'same-origin',
  fetch: (request) => globalThis.fetch(request),
  querySerializer: { array: { style: 'form', explode: true } },
})
api.use(language, failures)

/** Takes the body out of a client answer. Failures have thrown already, so data is there. */
export async function unwrap<T>(answer: Promise<{ data?: T }>): Promise<T> {
  return (await answer).data as T
}

/** A key that makes repeating a create harmless. Make one per form, not per attempt. */
export function idempotencyKey(): string {
  // randomUUID exists only in secure contexts; a self-hosted console may run on plain http.
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('')
}
