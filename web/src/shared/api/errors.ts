import type { components } from './types'

/** One field the server refused, by its path in the request body ("email", "lines.0.sku"). */
export interface FieldError {
  path: string
  code: string
  detail: string
}

/** A refusal from the server. `detail` is already in the reader's language. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly fields: readonly FieldError[]
  readonly requestId: string | undefined

  constructor(problem: { status: number; code: string; detail: string; fields?: readonly FieldError[]; requestId?: string }) {
    super(problem.detail)
    this.name = 'ApiError'
    this.status = problem.status
    this.code = problem.code
    this.detail = problem.detail
    this.fields = problem.fields ?? []
    this.requestId = problem.requestId
  }
}

/** The request never got an answer: no network, the server is down, or the connection broke. */
export class NetworkError extends Error {
  constructor(cause: unknown) {
    super('network failure', { cause })
    this.name = 'NetworkError'
  }
}

type Problem = Partial<components['schemas']['Problem']>

/** Code of an answer that is not a problem document, such as a proxy's own error page. */
export const CODE_UNREADABLE = 'console.unreadable_answer'

/** Builds the error for a failed response. The one place where answers become errors. */
export async function errorFrom(response: Response): Promise<ApiError> {
  const requestId = response.headers.get('X-Request-Id') ?? undefined
  const problem = await readProblem(response)
  if (!problem?.code) {
    return new ApiError({ status: response.status, code: CODE_UNREADABLE, detail: '', requestId })
  }
  return new ApiError({
    status: response.status,
    code: problem.code,
    detail: problem.detail ?? problem.title ?? '',
    fields: problem.fields ?? [],
    requestId: problem.requestId ?? requestId,
  })
}

async function readProblem(response: Response): Promise<Problem | undefined> {
  const type = response.headers.get('Content-Type') ?? ''
  if (!/\bjson\b/.test(type)) return undefined
  try {
    const body: unknown = await response.json()
    return typeof body === 'object' && body !== null ? body : undefined
  } catch {
    return undefined // cut off or not JSON after all: reported as unreadable
  }
}

/** True when the failure is a missing permission, which is shown as such and not as an error. */
export function isDenied(error: unknown): boolean {
  return error instanceof ApiError && error.status === 403
}

/** True when the thing asked for is not there. */
export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404
}

/** True when nobody is signed in any more. */
export function isSignedOut(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401
}
