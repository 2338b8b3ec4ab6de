import type { ReactNode } from 'react'
import type { ContactRow, SelectionBody } from '../api/types'

/** A choice of contacts as actions on many take it. */
export interface ContactSelection {
  /** What a request that works on many contacts is sent. */
  body: SelectionBody
  count: number
  /** Those of them that are on screen. */
  rows: ContactRow[]
  /** Ends the selection, once the work is done or handed over. */
  done: () => void
}

/** Something to do with many contacts, which a feature adds to the list. */
export interface SelectionAction {
  key: string
  show: (selection: ContactSelection) => ReactNode
}
