import type { Group } from './tree'

/** The states of a rule: what was, what is, and what was undone. */
export interface History {
  past: readonly Group[]
  now: Group
  future: readonly Group[]
  /** What the last change was about, and when: typing on in the same place is one change. */
  tag?: string
  time: number
}

/** Changes of one place within this time are undone together. */
const TOGETHER_MS = 1200
const MAX_STEPS = 100

export type Step = { change: (now: Group) => Group; tag?: string; time: number } | 'undo' | 'redo'

export const begin = (now: Group): History => ({ past: [], now, future: [], time: 0 })

export function proceed(h: History, step: Step): History {
  if (step === 'undo') {
    const before = h.past.at(-1)
    return before ? { past: h.past.slice(0, -1), now: before, future: [h.now, ...h.future], time: 0 } : h
  }
  if (step === 'redo') {
    const [next, ...future] = h.future
    return next ? { past: [...h.past, h.now], now: next, future, time: 0 } : h
  }
  const now = step.change(h.now)
  if (now === h.now) return h
  const goesOn = step.tag !== undefined && step.tag === h.tag && step.time - h.time < TOGETHER_MS
  return { past: goesOn ? h.past : [...h.past, h.now].slice(-MAX_STEPS), now, future: [], tag: step.tag, time: step.time }
}
