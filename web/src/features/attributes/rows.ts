import type { AttributeDef, Contact } from '@/shared/api/types'
import type { AttributeShape } from '@/shared/lib/attributes'

/** One attribute on a contact's page. */
export interface ProfileRow {
  of: AttributeShape
  value: unknown
  masked?: boolean
  unfit?: boolean
  /** Undefined ones are shown as they came and are not changed here. */
  defined: boolean
}

/** The rows of a contact's page by group: built-in ones, defined ones in their order, then what came without a definition. */
export function profileRows(contact: Contact, builtins: readonly AttributeShape[], defs: readonly AttributeDef[]): { group: string; rows: ProfileRow[] }[] {
  const held = new Map(contact.attributes.map((a) => [a.key, a]))
  const own: Record<string, unknown> = { gender: contact.gender, birthday: contact.birthday?.slice(0, 10), city: contact.city }
  const groups = new Map<string, ProfileRow[]>([['', builtins.map((of) => ({ of, value: own[of.key], defined: true }))]])
  const put = (group: string, row: ProfileRow) => {
    const rows = groups.get(group)
    if (rows) rows.push(row)
    else groups.set(group, [row])
  }
  for (const d of defs) {
    const a = held.get(d.key)
    held.delete(d.key)
    if (!d.archived) put(d.group ?? '', { of: d, value: a?.value, masked: a?.masked, unfit: a?.unfit, defined: true })
  }
  for (const a of held.values()) put('', { of: { key: a.key, type: 'text' }, value: a.value, masked: a.masked, defined: false })
  return [...groups].map(([group, rows]) => ({ group, rows }))
}

/** Option lines as they are typed, one a line; ids stay with labels that stay. */
export function optionsOf(text: string, old: AttributeDef['options']): { id: string; label: string; color?: string }[] {
  const lines = text.split('\n').map((l) => l.trim())
  return [...new Set(lines.filter(Boolean))].map((label, i) => {
    const same = old?.find((o) => o.label === label)
    if (same) return same
    const renamed = old?.length === lines.filter(Boolean).length ? old[i] : undefined // a line that changed in its place
    return renamed && !lines.includes(renamed.label) ? { ...renamed, label } : { id: '', label }
  })
}
