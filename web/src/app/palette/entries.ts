import type { LucideIcon } from 'lucide-react'

export type GroupKey = 'pages' | 'actions' | 'contacts' | 'orders' | 'events' | 'imports'

/** One line of the palette. */
export interface Entry {
  id: string
  group: GroupKey
  label: string
  detail?: string
  icon: LucideIcon
  run: () => void
}

/** Order of the groups: what was searched for stands above the ways around the console. */
const ORDER: GroupKey[] = ['contacts', 'orders', 'events', 'imports', 'pages', 'actions']

/** Entries by group, empty groups left out, in the order they are shown. */
export function grouped(entries: readonly Entry[]): { group: GroupKey; entries: Entry[] }[] {
  return ORDER.map((group) => ({ group, entries: entries.filter((e) => e.group === group) })).filter((g) => g.entries.length > 0)
}

/** Whether a fixed entry answers the words typed: every word occurs in its label or its path. */
export function matches(text: string, ...haystack: string[]): boolean {
  const all = haystack.join(' ').toLowerCase()
  return text
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean)
    .every((word) => all.includes(word))
}

/** The next place of the cursor, going round at the ends. */
export function move(at: number, by: number, count: number): number {
  return count === 0 ? 0 : (at + by + count) % count
}
