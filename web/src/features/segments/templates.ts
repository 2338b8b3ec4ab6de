import type { Rule } from '@/shared/api/types'

/** Starting points for those who have no segment yet. */
export const TEMPLATES = ['sleeping', 'cart', 'birthday'] as const
export type Template = (typeof TEMPLATES)[number]

export function templateRule(t: Template): Rule {
  switch (t) {
    case 'sleeping':
      return {
        v: 1,
        all: [
          { field: 'orders', op: 'gte', value: 2 },
          { event: { name: 'order.paid', op: 'is', value: 0, within: { last: 30, unit: 'day' } } },
        ],
      }
    case 'cart':
      return {
        v: 1,
        all: [
          { event: { name: 'cart.added', op: 'gte', value: 1, within: { last: 7, unit: 'day' } } },
          { event: { name: 'order.paid', op: 'is', value: 0, within: { last: 7, unit: 'day' } } },
        ],
      }
  }
  return { v: 1, all: [{ field: 'birthday', op: 'anniversary', value: 7 }] }
}

/** The list of contacts narrowed to a segment. */
export const inSegment = (id: string): Rule => ({ v: 1, all: [{ field: 'segment', op: 'in', value: [id] }] })
export const contactsLink = (rule: Rule) => `/contacts?where=${encodeURIComponent(JSON.stringify(rule))}`
