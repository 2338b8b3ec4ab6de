import type { AttributeDef } from '@/shared/api/types'

/** What becomes of an option: one of these, or the id of the option that takes its place. */
export const STAY = '*stay'
export const RETIRE = '*retire'
export const NONE = '*none'
export type Fate = string

type Option = NonNullable<AttributeDef['options']>[number]

const goes = (f: Fate | undefined) => f !== undefined && f !== STAY && f !== RETIRE

/** The options that go, and what takes their place; none for those that leave nothing. */
export function changesOf(fates: Readonly<Record<string, Fate>>): { option: string; to?: string }[] {
  return Object.entries(fates)
    .filter(([, f]) => goes(f))
    .map(([option, f]) => (f === NONE ? { option } : { option, to: f }))
}

/** The options that can take the place of one: those that stay themselves. */
export const targetsOf = (options: readonly Option[], fates: Readonly<Record<string, Fate>>, id: string): Option[] => options.filter((o) => o.id !== id && !goes(fates[o.id]))

/** All options as they are to be offered, or undefined when nothing of that changes. */
export function retiredOf(options: readonly Option[], fates: Readonly<Record<string, Fate>>): Option[] | undefined {
  const next = options.map((o) => (goes(fates[o.id]) ? o : { ...o, retired: fates[o.id] === RETIRE }))
  return next.some((o, i) => (o.retired ?? false) !== (options[i]?.retired ?? false)) ? next : undefined
}

/** The attributes that another can become part of: in use, not unique, and as well guarded. */
export function mergeTargets(from: AttributeDef, all: readonly AttributeDef[]): AttributeDef[] {
  const sealed = (a: AttributeDef) => a.personal === 'personal' || a.personal === 'sensitive'
  return all.filter((a) => a.key !== from.key && !a.archived && !a.unique && !a.settling && (!sealed(from) || sealed(a)))
}
