import { createContext, use } from 'react'
import type { RuleField } from '@/shared/api/types'
import type { KnownEvent } from './queries'
import type { Group } from './tree'

/** What the parts of the builder share. */
export interface Editing {
  fields: RuleField[]
  /** Whether the rule is one reader's own, so that it may say "me". */
  personal: boolean
  events: KnownEvent[]
  change: (change: (now: Group) => Group, tag?: string) => void
  root: Group
  /** What the server refuses, by the part that it is about. */
  faults: ReadonlyMap<string, string>
  /** The part that was added last: its first control takes the focus. */
  fresh: string | undefined
  setFresh: (id: string | undefined) => void
  /** The part that is being dragged. */
  dragging: string | undefined
}

export const EditingContext = createContext<Editing | null>(null)

export function useEditing(): Editing {
  const editing = use(EditingContext)
  if (!editing) throw new Error('a part of the rule builder outside it')
  return editing
}

/** A field as conditions name it. */
export const fieldId = (f: { field?: string; key?: string }) => `${f.field ?? ''}/${f.key ?? ''}`
