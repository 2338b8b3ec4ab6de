import type { TimelineFact } from '@/shared/api/types'
import { formatMoney } from '@/shared/lib/format'
import { dayOf, type Day } from '@/shared/lib/time'

/** The facts of one day, in the order they came. */
export interface DayGroup<T> {
  day: Day
  items: T[]
}

/** Cuts a list that is ordered by time into days of the zone. A day never appears twice in an ordered list. */
export function groupByDay<T extends { timestamp: string }>(items: readonly T[], zone: string): DayGroup<T>[] {
  const out: DayGroup<T>[] = []
  for (const item of items) {
    const day = dayOf(item.timestamp, zone)
    const last = out.at(-1)
    if (last?.day === day) last.items.push(item)
    else out.push({ day, items: [item] })
  }
  return out
}

/** Kinds of event that are drawn alike. */
export type Family = 'order' | 'refund' | 'page' | 'screen' | 'tag' | 'note' | 'contact' | 'group' | 'stage' | 'other'

/** The kind of an event by its name. */
export function familyOf(name: string): Family {
  if (name === 'order.refunded' || name === 'Order Refunded') return 'refund'
  if (name === 'Order Completed') return 'order'
  const head = name.split('.')[0] ?? ''
  if (head === 'lifecycle' || head === 'pool') return 'stage'
  return (['order', 'page', 'screen', 'tag', 'note', 'contact', 'group'] as const).find((f) => f === head) ?? 'other'
}

/** How many properties the one-line summary shows, and how long each may be. */
const SHOWN = 3
const LONGEST = 48

/** Properties that say most, first. */
const TELLING = ['title', 'name', 'path', 'product', 'tag', 'coupon', 'text', 'url', 'codeName', 'hook']

function clip(text: string): string {
  return text.length > LONGEST ? text.slice(0, LONGEST - 1) + '…' : text
}

function isOrder(name: string): boolean {
  return name === 'order.paid' || name === 'order.refunded'
}

/** An event in a line beside its title: an order's amount and goods, else its most telling properties. */
export function summaryOf(fact: Summed, lang: string, channelName = (id: string) => id): string[] {
  // The title often holds the order's number or the page's name already.
  return partsOf(fact, lang, channelName).filter((part) => !fact.title.includes(part))
}

type Summed = Pick<TimelineFact, 'name' | 'title' | 'properties' | 'labels'>

/** What staff or the system did to a contact: the title says it, and but for a reason the properties are ids. */
const DONE_TO = /^(contact|tag|note|owner|followup|consent|lifecycle|pool)\./

/** Our own ids, such as us_01kjp…: nobody reads them. */
const ID = /^[a-z]{2,3}_[0-9a-hjkmnp-tv-z]{26}$/

function partsOf({ name, title, properties, labels }: Summed, lang: string, channelName: (id: string) => string): string[] {
  if (DONE_TO.test(name) && name !== 'contact.identified') return typeof properties.why === 'string' && properties.why !== '' ? [clip(properties.why)] : []
  if (isOrder(name) && typeof properties.total === 'number') {
    const currency = typeof properties.currency === 'string' ? properties.currency : 'CNY'
    const goods = Array.isArray(properties.lines) ? properties.lines.map((l: unknown) => (l as { name?: unknown } | null)?.name).filter((n) => typeof n === 'string') : []
    return [
      formatMoney({ amount: properties.total, currency }, lang),
      ...(typeof properties.orderNumber === 'string' ? [properties.orderNumber] : []),
      ...goods.slice(0, 2).map((g) => clip(g)),
    ]
  }
  const rank = (key: string) => (TELLING.includes(key) ? TELLING.indexOf(key) : TELLING.length)
  return Object.entries(properties)
    .filter(([, v]) => ['string', 'number', 'boolean'].includes(typeof v) && v !== '' && !(typeof v === 'string' && ID.test(v)))
    // Who is named needs no id beside it, and what the title names is not said twice.
    .filter(([key, v]) => !properties[`${key}Name`] && !(key.endsWith('Name') && title.includes(String(v))))
    .sort(([a], [b]) => rank(a) - rank(b))
    .slice(0, SHOWN)
    .map(([key, v]) => (rank(key) < TELLING.length ? clip(String(v)) : `${labels?.[key] ?? key}: ${clip(key === 'channel' ? channelName(String(v)) : String(v))}`))
}
