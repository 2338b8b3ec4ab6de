import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import type { Estimate, Rule } from '@/shared/api/types'
import { usePrefs } from '@/shared/lib/prefs'
import { useSettled } from '@/shared/lib/settled'
import type { Draft } from './draft'
import { faultsOf } from './faults'
import { estimateQuery } from './queries'

export interface Estimated {
  /** The last answer; older than the rule while `busy`. */
  data: Estimate | undefined
  error: unknown
  busy: boolean
  /** What the server refuses, by the part that it is about. */
  faults: ReadonlyMap<string, string>
}

/** Whom a rule means while it is written: asked once typing pauses, and no longer waited for when it goes on. An answer from a sample is shown until everybody is counted. */
export function useEstimate(draft: Draft): Estimated {
  const { lang } = usePrefs()
  const now = JSON.stringify(draft.rule ?? { v: 1 })
  const asked = useSettled(now, 250)
  const rule = JSON.parse(asked) as Rule
  const query = useQuery({ ...estimateQuery(rule, lang), placeholderData: (old) => old })
  const sampled = query.data?.about === true && !query.isPlaceholderData
  const exact = useQuery({ ...estimateQuery(rule, lang, true), enabled: sampled })
  const faults = useMemo(() => faultsOf(query.error, draft.at), [query.error, draft.at])
  return { data: (sampled && exact.data) || query.data, error: query.error ?? undefined, busy: query.isFetching || asked !== now, faults }
}
