import type { RuleField, RuleNode } from '@/shared/api/types'
import { eventOn, habitOf, sequenceOf, withAsk } from './behaviour'
import type { KnownEvent } from './queries'
import { conditionOn } from './rule'

/** The groups in which conditions are offered: what people did, then who they are. Groups of fields are the server's. */
export const ENTRY_GROUPS = ['behaviour', 'event', 'audience', 'person', 'work', 'activity', 'orders', 'source', 'consent', 'attribute', 'other'] as const
export type EntryGroup = (typeof ENTRY_GROUPS)[number]

/** A kind of condition that can be added. */
export interface Entry {
  id: string
  group: EntryGroup
  label: string
  /** What else it is found by, and what tells it from others of the same name. */
  hint?: string
  /** Why it cannot be used just now. */
  blocked?: string
  make: () => RuleNode
}

/** The kinds of behaviour, named by the caller. */
export const BEHAVIOURS = ['did', 'never', 'firstTime', 'sum', 'sequence', 'regularly', 'stopped', 'resumed'] as const
type BehaviourKey = (typeof BEHAVIOURS)[number]

function behaviour(key: BehaviourKey): RuleNode {
  switch (key) {
    case 'sequence':
      return { sequence: sequenceOf() }
    case 'regularly':
    case 'stopped':
    case 'resumed':
      return { habit: habitOf(key) }
  }
  return { event: withAsk(eventOn(''), key) }
}

const isGroup = (g: string): g is EntryGroup => (ENTRY_GROUPS as readonly string[]).includes(g)

/** Fields that say where somebody belongs. They stand together, whichever package they come from. */
const AUDIENCE: readonly string[] = ['segment', 'stage', 'pool', 'tier', 'rfm', 'bucket']

/** Where a field is offered. */
export function groupOf(f: RuleField): EntryGroup {
  if (AUDIENCE.includes(f.field)) return 'audience'
  const group: string = f.group
  return isGroup(group) ? group : 'other'
}

/** Everything that can be added, in the order it is offered. */
export function entriesOf(fields: RuleField[], events: KnownEvent[], say: (key: BehaviourKey) => { label: string; hint: string }): Entry[] {
  const all: Entry[] = [
    ...BEHAVIOURS.map((key): Entry => ({ id: `b:${key}`, group: 'behaviour', ...say(key), make: () => behaviour(key) })),
    ...events.map((e): Entry => ({ id: `e:${e.name}`, group: 'event', label: e.label, hint: e.label === e.name ? undefined : e.name, make: () => ({ event: eventOn(e.name) }) })),
    ...fields.map((f): Entry => ({ id: `f:${f.field}/${f.key ?? ''}`, group: groupOf(f), label: f.label, hint: f.key || undefined, blocked: f.blocked, make: () => conditionOn(f) })),
  ]
  return ENTRY_GROUPS.flatMap((g) => all.filter((e) => e.group === g))
}

/** What the words typed find: every word occurs in the name or the hint. Without words, one group or all of it. */
export function search(entries: readonly Entry[], text: string, group?: EntryGroup): Entry[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const within = words.length === 0 && group ? entries.filter((e) => e.group === group) : entries
  if (words.length === 0) return [...within]
  const found = within.filter((e) => {
    const hay = `${e.label} ${e.hint ?? ''}`.toLowerCase()
    return words.every((w) => hay.includes(w))
  })
  // A name typed in full is on top; beyond that, groups stay together.
  const exact = (e: Entry) => e.label.toLowerCase() === text.trim().toLowerCase() || e.hint?.toLowerCase() === text.trim().toLowerCase()
  return [...found.filter(exact), ...found.filter((e) => !exact(e))]
}
