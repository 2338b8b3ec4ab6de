import { createContext, use } from 'react'
import type { Me } from '../api/types'

/** Permission ids as the server names them. */
export type Permission =
  | 'session.self'
  | 'team.read'
  | 'team.write'
  | 'keys.read'
  | 'keys.write'
  | 'audit.read'
  | 'jobs.read'
  | 'jobs.write'
  | 'import.read'
  | 'import.write'
  | 'facts.read'
  | 'facts.write'
  | 'dictionary.read'
  | 'dictionary.write'
  | 'contact.read'
  | 'contact.write'
  | 'contact.unmask'
  | 'contact.export'
  | 'view.share'
  | 'segment.read'
  | 'segment.write'
  | 'consent.write'
  | 'attribute.write'
  | 'identity.write'
  | 'tag.write'
  | 'order.read'
  | 'acquire.read'
  | 'acquire.write'
  | 'overview.read'
  | 'system.read'
  | 'settings.write'
  | 'connector.read'
  | 'connector.write'

export const MeContext = createContext<Me | null>(null)

/** The signed-in user. Only pages behind sign-in may call it. */
export function useMe(): Me {
  const me = use(MeContext)
  if (!me) throw new Error('useMe outside a signed-in page')
  return me
}

/** Whether the signed-in user holds the permission. False before sign-in. */
export function useCan(permission: Permission): boolean {
  return use(MeContext)?.permissions.includes(permission) ?? false
}

/** The company's time zone, in which every time and day is shown. Falls back to the browser's before sign-in. */
export function useTimezone(): string {
  return use(MeContext)?.company.timezone || Intl.DateTimeFormat().resolvedOptions().timeZone
}
