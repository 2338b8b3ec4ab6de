import type { ReactNode } from 'react'
import type { ContactRow } from '@/shared/api/types'

/** A list of people that whoever composes the page shows as the list of contacts does. */
export interface PeopleSource {
  label: string
  source: { queryKey: readonly unknown[]; page: (cursor: string | undefined, signal: AbortSignal) => Promise<{ items: ContactRow[]; next?: string; total?: number }> }
  empty: ReactNode
  extra?: ReactNode
}
