import { queryOptions } from '@tanstack/react-query'
import { api, idempotencyKey, unwrap } from '@/shared/api/client'
import type { Department, NewUser, Permission, Role, User, UserInput } from '@/shared/api/types'

/** Everyone who may sign in. */
export const usersQuery = () => queryOptions({ queryKey: ['team', 'users'], queryFn: ({ signal }) => unwrap<{ items: User[] }>(api.GET('/api/users', { signal })) })

/** The roles and every permission there is. */
export const rolesQuery = () =>
  queryOptions({ queryKey: ['team', 'roles'], queryFn: ({ signal }) => unwrap<{ items: Role[]; permissions: Permission[] }>(api.GET('/api/roles', { signal })) })

/** Adds a member; without a password the answer holds a made one, this one time. */
export const createUser = (body: UserInput) => unwrap<NewUser>(api.POST('/api/users', { body, headers: { 'Idempotency-Key': idempotencyKey() } }))

/** Changes name, role or state. */
export const updateUser = (id: string, body: { name?: string; role?: string; state?: User['state']; departments?: string[] }) =>
  unwrap<User>(api.PATCH('/api/users/{id}', { params: { path: { id } }, body }))

/** Makes a new password and signs the member out everywhere. */
export const resetPassword = (id: string) => unwrap<{ password: string }>(api.POST('/api/users/{id}/password', { params: { path: { id } } }))

/** Signs the member out everywhere. */
export const endSessions = (id: string) => unwrap(api.DELETE('/api/users/{id}/sessions', { params: { path: { id } } }))

/** Makes a role. */
export const createRole = (body: { name: string; permissions: string[]; scope: Role['scope']; unowned: boolean }) => unwrap<Role>(api.POST('/api/roles', { body }))

/** Changes a role that is not built in. */
export const updateRole = (id: string, body: { name?: string; permissions?: string[]; scope?: Role['scope']; unowned?: boolean }) => unwrap<Role>(api.PATCH('/api/roles/{id}', { params: { path: { id } }, body }))

/** Removes a role that nobody has. */
export const deleteRole = (id: string) => unwrap(api.DELETE('/api/roles/{id}', { params: { path: { id } } }))

/** The departments, each behind its parent. */
export const departmentsQuery = () =>
  queryOptions({ queryKey: ['team', 'departments'], queryFn: ({ signal }) => unwrap<{ items: Department[] }>(api.GET('/api/departments', { signal })) })

/** Makes a department. */
export const createDepartment = (body: { name: string; parent: string; lead: string }) =>
  unwrap<Department>(api.POST('/api/departments', { body, headers: { 'Idempotency-Key': idempotencyKey() } }))

/** Renames or moves a department, or gives it another lead. */
export const updateDepartment = (id: string, body: { name?: string; parent?: string; lead?: string }) =>
  unwrap<Department>(api.PATCH('/api/departments/{id}', { params: { path: { id } }, body }))

/** Removes a department that nobody is in. */
export const deleteDepartment = (id: string) => unwrap(api.DELETE('/api/departments/{id}', { params: { path: { id } } }))

/** Counts the customers of somebody. */
export const customersOf = (owner: string) =>
  queryOptions({
    queryKey: ['team', 'customers', owner],
    queryFn: () => unwrap(api.POST('/api/contacts/reassign', { body: { filter: { owner, kind: 'person' }, preview: true } })),
    staleTime: 0,
  })

/** Gives the customers of somebody to others, evenly; to nobody when none are named. A job does it. */
export const handOver = (owner: string, to: string[], reason: string) =>
  unwrap(
    api.POST('/api/contacts/reassign', {
      body: { filter: { owner, kind: 'person' }, to: to.map((user) => ({ user, weight: 1 })), reason },
      headers: { 'Idempotency-Key': idempotencyKey() },
    }),
  )
