import type { Rule } from '@/shared/api/types'

const rule = (...any: Rule['any'] & object): Rule => ({ v: 1, any })

/** Contacts whose owner said no word for so many days, or has left. */
export const aloneRule = (days: number): Rule => rule({ field: 'ownerTouch', op: 'olderThan', value: days }, { field: 'owner', op: 'in', value: ['left'] })

/** The list of contacts narrowed to a rule. */
export const listOf = (where: Rule, more: Record<string, string> = {}): string => `/contacts?${new URLSearchParams({ ...more, where: JSON.stringify(where) }).toString()}`
