import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/shared/api/client'
import type { Language, Me, SetupInput } from '@/shared/api/types'

/** Key of the signed-in user; setting null under it means signed out. */
export const SESSION_KEY = ['session'] as const

/** How often the filling of the demo is looked at. */
const DEMO_POLL_MS = 2000

/** Who is signed in. Fails with 401 when nobody is. */
export const sessionQuery = () =>
  queryOptions({
    queryKey: SESSION_KEY,
    queryFn: ({ signal }) => unwrap<Me>(api.GET('/api/session', { signal })),
    staleTime: 5 * 60_000,
    refetchInterval: (q) => (q.state.data?.demo?.state === 'filling' ? DEMO_POLL_MS : false),
  })

/** Whether the first administrator is still missing. */
export const setupQuery = () =>
  queryOptions({
    queryKey: ['setup'],
    queryFn: ({ signal }) => unwrap(api.GET('/api/setup', { signal })),
    staleTime: 0,
  })

/** Where this user is signed in. */
export const sessionsQuery = () =>
  queryOptions({
    queryKey: ['session', 'list'],
    queryFn: ({ signal }) => unwrap(api.GET('/api/sessions', { signal })),
  })

export const setUp = (body: SetupInput) => unwrap<Me>(api.POST('/api/setup', { body }))
export const signIn = (body: { email: string; password: string }) => unwrap<Me>(api.POST('/api/session', { body }))
export const signOut = () => unwrap(api.DELETE('/api/session'))
export const updateMe = (body: { name?: string; language?: Language }) => unwrap<Me>(api.PATCH('/api/session/user', { body }))
export const changePassword = (body: { current: string; next: string }) => unwrap(api.POST('/api/session/password', { body }))
export const endSession = (id: string) => unwrap(api.DELETE('/api/sessions/{id}', { params: { path: { id } } }))
export const endOtherSessions = () => unwrap(api.DELETE('/api/sessions'))
