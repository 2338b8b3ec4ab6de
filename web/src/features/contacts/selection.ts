import type { ContactFilter, ContactRow } from '@/shared/api/types'
import type { ContactSelection } from '@/shared/lib/selection'

/** Whom the reader has ticked: these, or all that match the list but for some. */
export type Choice = { ids: string[] } | { except: string[] }

export const NOBODY: Choice = { ids: [] }

/** The rows on screen that are ticked. */
export function tickedRows(choice: Choice, rows: ContactRow[]): ContactRow[] {
  const keys = new Set('ids' in choice ? choice.ids : choice.except)
  return rows.filter((r) => keys.has(r.id) === 'ids' in choice)
}

/** What ticking and unticking on screen makes of the choice; what is not on screen stays as it was. */
export function tick(choice: Choice, rows: ContactRow[], keys: string[]): Choice {
  if ('ids' in choice) return { ids: keys }
  const shown = new Set(rows.map((r) => r.id))
  const on = new Set(keys)
  return { except: [...choice.except.filter((id) => !shown.has(id)), ...rows.filter((r) => !on.has(r.id)).map((r) => r.id)] }
}

/** The choice in full; nothing when nobody is chosen. */
export function selectionOf(choice: Choice, rows: ContactRow[], filter: ContactFilter, total: number): Omit<ContactSelection, 'done'> | undefined {
  const ticked = tickedRows(choice, rows)
  if ('ids' in choice) {
    // Those no longer on screen are dropped: nobody acts on what they cannot see.
    return ticked.length > 0 ? { body: { ids: ticked.map((r) => r.id) }, count: ticked.length, rows: ticked } : undefined
  }
  const count = total - choice.except.length
  if (count <= 0) return undefined
  return { body: choice.except.length > 0 ? { filter, except: choice.except } : { filter }, count, rows: ticked }
}
