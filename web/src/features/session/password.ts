/** Fewest characters the server takes. */
export const MIN_PASSWORD = 10

/** How a password will fare: 0 refused, 1 weak but taken, 2 fair, 3 good, 4 strong. */
export type Strength = 0 | 1 | 2 | 3 | 4

/** Why the server will refuse a password, as far as it can be told here. */
export type Refusal = 'short' | 'digits' | 'repeats' | 'email'

/** The refusal, if any, by the same rules as the server's; its list of common passwords is checked there alone. */
export function refusal(password: string, email = ''): Refusal | undefined {
  const p = password.normalize('NFKC').toLowerCase()
  const mail = email.trim().toLowerCase()
  if ([...p].length < MIN_PASSWORD) return 'short'
  if (/^\d+$/.test(p)) return 'digits'
  if (new Set(p).size <= 3) return 'repeats'
  if (mail && (p === mail || p === mail.split('@')[0])) return 'email'
  return undefined
}

/** A rough grade by length and variety, shown while typing. */
export function strength(password: string, email = ''): Strength {
  if (refusal(password, email)) return 0
  const length = [...password].length
  const kinds = [/\p{Ll}/u, /\p{Lu}/u, /\d/, /[^\p{L}\d]/u].filter((k) => k.test(password)).length
  const points = kinds + (length >= 14 ? 1 : 0) + (length >= 18 ? 1 : 0) + (/\p{Script=Han}/u.test(password) ? 1 : 0)
  if (points >= 5) return 4
  if (points === 4) return 3
  return points === 3 ? 2 : 1
}
