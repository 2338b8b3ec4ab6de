import { queryOptions } from '@tanstack/react-query'
import { api, idempotencyKey, unwrap } from '@/shared/api/client'
import type { Role, Token, WriteKey } from '@/shared/api/types'

/** Every write key, also revoked ones. */
export const writeKeysQuery = () =>
  queryOptions({ queryKey: ['keys', 'write'], queryFn: ({ signal }) => unwrap<{ items: WriteKey[] }>(api.GET('/api/write-keys', { signal })) })

/** Every API token, also revoked ones. */
export const tokensQuery = () =>
  queryOptions({ queryKey: ['keys', 'tokens'], queryFn: ({ signal }) => unwrap<{ items: Token[] }>(api.GET('/api/tokens', { signal })) })

/** The roles a token can have. */
export const rolesQuery = () =>
  queryOptions({ queryKey: ['team', 'roles'], queryFn: ({ signal }) => unwrap<{ items: Role[] }>(api.GET('/api/roles', { signal })) })

/** Makes a write key; the answer holds its secret this one time. */
export const createWriteKey = (body: { name: string; source?: string }) =>
  unwrap<{ key: WriteKey; secret: string }>(api.POST('/api/write-keys', { body, headers: { 'Idempotency-Key': idempotencyKey() } }))

/** Ends a write key. */
export const revokeWriteKey = (id: string) => unwrap(api.DELETE('/api/write-keys/{id}', { params: { path: { id } } }))

/** Makes a token; the answer holds its secret this one time. */
export const createToken = (body: { name: string; role: string; expiresAt?: string }) =>
  unwrap<{ token: Token; secret: string }>(api.POST('/api/tokens', { body, headers: { 'Idempotency-Key': idempotencyKey() } }))

/** Ends a token. */
export const revokeToken = (id: string) => unwrap(api.DELETE('/api/tokens/{id}', { params: { path: { id } } }))
