import type { Connector, ConnectorInput, ConnectorKind } from '@/shared/api/types'

/** What the form of an account holds: texts by field, limits by quota. */
export interface Draft {
  name: string
  settings?: Record<string, string | undefined>
  secrets?: Record<string, string | undefined>
  limits?: Record<string, number | null | undefined>
}

/** How a quota is named in settings. */
export const limitKey = (q: { name: string; per: string }) => `quota.${q.name}.${q.per}`

/** What the form of an existing account begins with. Secrets are never known here. */
export function draftOf(account: Connector, kind: ConnectorKind): Draft {
  const limits: Draft['limits'] = {}
  const settings: Draft['settings'] = {}
  for (const [key, value] of Object.entries(account.settings)) {
    if (kind.quotas.some((q) => limitKey(q) === key)) limits[key] = Number(value)
    else settings[key] = value
  }
  return { name: account.name, settings, limits }
}

/** What is sent: empty settings are left out, so are secrets that were not typed. */
export function inputOf(draft: Draft, kind: string): ConnectorInput {
  const settings: Record<string, string> = {}
  for (const [key, value] of Object.entries(draft.settings ?? {})) if (value?.trim()) settings[key] = value.trim()
  for (const [key, value] of Object.entries(draft.limits ?? {})) if (typeof value === 'number') settings[key] = String(value)
  const secrets: Record<string, string> = {}
  for (const [key, value] of Object.entries(draft.secrets ?? {})) if (value?.trim()) secrets[key] = value.trim()
  return { kind, name: draft.name.trim(), settings, secrets }
}

/** The address at which the platform calls, and whether it is only a guess from the browser's own address. */
export function callbackAddress(account: Connector, origin: string): { url: string; guessed: boolean; plain: boolean } {
  const url = account.callbackUrl ?? origin + (account.callbackPath ?? '')
  return { url, guessed: !account.callbackUrl, plain: !url.startsWith('https://') }
}
