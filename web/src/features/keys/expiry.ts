/** How long a new token may live. */
export const EXPIRIES = ['never', 'd30', 'd90', 'd365'] as const
export type Expiry = (typeof EXPIRIES)[number]

const DAY_MS = 86_400_000

/** The moment a token made now ends, undefined when it has no end. */
export function expiresAt(choice: Expiry, now: number): string | undefined {
  if (choice === 'never') return undefined
  return new Date(now + Number(choice.slice(1)) * DAY_MS).toISOString()
}

/** What a key or token is good for now. */
export function keyState(k: { revokedAt?: string; expiresAt?: string }, now: number): 'active' | 'revoked' | 'expired' {
  if (k.revokedAt) return 'revoked'
  return k.expiresAt && Date.parse(k.expiresAt) <= now ? 'expired' : 'active'
}
