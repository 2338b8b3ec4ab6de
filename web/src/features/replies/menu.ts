import type { MenuButton } from '@/shared/api/types'
import { bytesOf } from '@/shared/lib/bytes'
import { moved } from './rule'

/** What the platform takes. */
export const LIMITS = { top: 3, sub: 5, name: 16, subName: 60 } as const
export const BUTTON_KINDS = ['reply', 'view', 'miniprogram', 'scan', 'photo', 'location'] as const

/** Which button: one at the bottom, or one that opens above it. */
export interface Place {
  top: number
  sub?: number
}

export const subs = (b: MenuButton | undefined): MenuButton[] => b?.sub ?? []

export const buttonAt = (list: readonly MenuButton[], at: Place): MenuButton | undefined => (at.sub === undefined ? list[at.top] : subs(list[at.top])[at.sub])

/** Where the server says that something is wrong with a button. */
export const pathOf = (at: Place): string => (at.sub === undefined ? `buttons[${at.top}]` : `buttons[${at.top}].sub[${at.sub}]`)

const withSub = (list: readonly MenuButton[], top: number, change: (sub: MenuButton[]) => MenuButton[]): MenuButton[] => list.map((b, i) => (i === top ? { ...b, sub: change(subs(b)) } : b))

/** The menu with another button in a place. */
export function put(list: readonly MenuButton[], at: Place, next: MenuButton): MenuButton[] {
  const { sub } = at
  if (sub === undefined) return list.map((b, i) => (i === at.top ? next : b))
  return withSub(list, at.top, (all) => all.map((b, i) => (i === sub ? next : b)))
}

/** Adds a button at the bottom, or above one; what that one did before is over. */
export function added(list: readonly MenuButton[], top: number | undefined, name: string): { list: MenuButton[]; at: Place } {
  if (top === undefined) return { list: [...list, { name, kind: 'reply' }], at: { top: list.length } }
  const b = list[top]
  const next = [...subs(b), { name, kind: 'reply' as const }]
  return { list: list.map((x, i) => (i === top ? { name: x.name, sub: next } : x)), at: { top, sub: next.length - 1 } }
}

/** Takes a button away. One at the bottom whose last above it goes is a button of its own again. */
export function removed(list: readonly MenuButton[], at: Place): MenuButton[] {
  const { sub } = at
  if (sub === undefined) return list.filter((_, i) => i !== at.top)
  return list.map((b, i) => {
    if (i !== at.top) return b
    const rest = subs(b).filter((_, k) => k !== sub)
    return rest.length > 0 ? { ...b, sub: rest } : { name: b.name, kind: 'reply' }
  })
}

/** Moves a button among those beside it. */
export function shifted(list: readonly MenuButton[], at: Place, to: number): { list: MenuButton[]; at: Place } {
  const { sub } = at
  const last = (sub === undefined ? list.length : subs(list[at.top]).length) - 1
  const next = Math.min(Math.max(to, 0), last)
  if (sub === undefined) return { list: moved(list, at.top, next), at: { top: next } }
  return { list: withSub(list, at.top, (all) => moved(all, sub, next)), at: { top: at.top, sub: next } }
}

/** How many bytes a name may have, and has. */
export const room = (b: MenuButton, at: Place): { bytes: number; most: number } => ({ bytes: bytesOf(b.name), most: at.sub === undefined ? LIMITS.name : LIMITS.subName })

/** Whether two menus are the same to a customer. */
export const same = (a: readonly MenuButton[], b: readonly MenuButton[]): boolean => JSON.stringify(strip(a)) === JSON.stringify(strip(b))

const strip = (list: readonly MenuButton[]): unknown => list.map((b) => [b.name, b.kind ?? '', b.reply ?? '', b.url ?? '', b.appId ?? '', b.page ?? '', b.key ?? '', strip(subs(b))])
