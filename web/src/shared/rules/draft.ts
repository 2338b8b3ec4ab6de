import { useCallback, useMemo, useReducer } from 'react'
import type { Rule } from '@/shared/api/types'
import { begin, proceed } from './history'
import { fromRule, toRule, type Group, type Said } from './tree'

/** A rule while it is edited, with what it says and the way back. */
export interface Draft extends Said {
  root: Group
  /** Changes the tree; changes with the same tag in quick succession are undone as one. */
  change: (change: (now: Group) => Group, tag?: string) => void
  undo: () => void
  redo: () => void
  canUndo: boolean
  canRedo: boolean
}

/** Edits a rule, beginning with the one given; another one given later changes nothing. */
export function useRuleDraft(rule: Rule | undefined): Draft {
  const [history, go] = useReducer(proceed, rule, (r) => begin(fromRule(r)))
  const said = useMemo(() => toRule(history.now), [history.now])
  const change = useCallback((change: (now: Group) => Group, tag?: string) => go({ change, tag, time: Date.now() }), [])
  return {
    root: history.now,
    ...said,
    change,
    undo: useCallback(() => go('undo'), []),
    redo: useCallback(() => go('redo'), []),
    canUndo: history.past.length > 0,
    canRedo: history.future.length > 0,
  }
}
