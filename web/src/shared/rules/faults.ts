import { ApiError } from '@/shared/api/errors'
import { faultAt, type Said } from './tree'

/** What the server refuses of a rule, by the part that it is about. What is about no part of a rule is left out. */
export function faultsOf(error: unknown, at: Said['at']): ReadonlyMap<string, string> {
  const out = new Map<string, string>()
  if (!(error instanceof ApiError)) return out
  for (const f of error.fields) {
    const found = faultAt(f.path, at)
    if (found && !out.has(found.id)) out.set(found.id, f.detail)
  }
  return out
}
