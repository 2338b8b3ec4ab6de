import { api, unwrap } from '@/shared/api/client'
import type { SetAside } from '@/shared/api/types'

/** What narrows the set-aside list. */
export interface SetAsideFilter {
  state: SetAside['state']
  name?: string
}

/** One page of set-aside facts, newest first. */
export const setAsidePage = (filter: SetAsideFilter) => (cursor: string | undefined, signal: AbortSignal) =>
  unwrap<{ items: SetAside[]; next?: string; total?: number }>(api.GET('/api/facts/set-aside', { params: { query: { ...filter, cursor } }, signal }))

/** Which facts an action is about: some, or all that are open. */
export type Which = { ids: string[] } | { all: true }

/** Sends facts through the pipeline once more. */
export const retrySetAside = (which: Which) => unwrap<{ count: number }>(api.POST('/api/facts/set-aside/retry', { body: which }))

/** Gives facts up; they stay on record as discarded. */
export const discardSetAside = (which: Which) => unwrap<{ count: number }>(api.POST('/api/facts/set-aside/discard', { body: which }))
