import { useTranslation } from 'react-i18next'
import type { ChannelFigures } from '@/shared/api/types'
import { formatInt, formatMoney, formatPercent } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { dayOf } from '@/shared/lib/time'
import type { ReportScope } from './queries'

/** The figures of a channel, in the order of the table. */
export const COLUMNS = ['visitors', 'new', 'buyers', 'firstBuyers', 'revenue', 'lastRevenue', 'repeatRate', 'cost', 'cac', 'ltv', 'roi'] as const
export type Key = (typeof COLUMNS)[number]

/** Those that stand above the table. */
export const KPIS = ['new', 'firstBuyers', 'revenue', 'cost', 'cac', 'roi'] as const satisfies readonly Key[]

const MONEY = new Set<Key>(['revenue', 'lastRevenue', 'cost', 'cac', 'ltv'])
const RATIO = new Set<Key>(['repeatRate', 'roi'])

/** The people behind a figure, as /people knows them; none for what is money spent alone. */
const METRIC: Partial<Record<Key, string>> = {
  visitors: 'visitors',
  new: 'new',
  buyers: 'buyers',
  firstBuyers: 'firstBuyers',
  revenue: 'buyers',
  repeatRate: 'repeat',
  cac: 'firstBuyers',
  ltv: 'cohort',
  roi: 'cohort',
}
const IN_MONEY = new Set(['buyers', 'repeat', 'cohort'])

/** Where a figure leads: the people it counts, over exactly what it was counted over. */
export function peopleOf(key: Key, scope: ReportScope): string | undefined {
  const metric = METRIC[key]
  if (!metric) return undefined
  const query = new URLSearchParams({ metric, from: scope.from, to: scope.to })
  if (scope.channel) query.set('channel', scope.channel)
  if (scope.currency && IN_MONEY.has(metric)) query.set('currency', scope.currency)
  return `/people?${query.toString()}`
}

/** The orders behind what came by a last touch. */
export function ordersOf(channel: string, value: number | undefined, scope: ReportScope, zone: string): string | undefined {
  return value ? `/orders?${new URLSearchParams({ last: channel, paidFrom: dayOf(scope.from, zone), paidTo: dayOf(Date.parse(scope.to) - 1, zone) }).toString()}` : undefined
}

/** Figures whose fall is good: what is paid. */
export const DOWN: ReadonlySet<Key> = new Set<Key>(['cost', 'cac'])

/** By which share a figure moved; undefined when there is nothing to compare. */
export function figureChange(key: Key, now: ChannelFigures, before: ChannelFigures): number | undefined {
  const [a, b] = [now[key], before[key]]
  return a === undefined || b === undefined || b === 0 ? undefined : (a - b) / Math.abs(b)
}

/** Writes figures out: money, shares and counts. What cannot be said is a dash. */
export function useFigureText(currency: string): (key: Key, value: number | undefined, short?: boolean) => string {
  const { lang } = usePrefs()
  const { t } = useTranslation('channels')
  return (key, value, short) => {
    if (value === undefined) return t('none')
    if (MONEY.has(key)) return formatMoney({ amount: Math.round(value), currency }, lang, { whole: Math.abs(value) >= 100_000, compact: short && Math.abs(value) >= 100_000_000 })
    if (RATIO.has(key)) return formatPercent(value, lang, key === 'roi' ? 0 : 1)
    return formatInt(value, lang)
  }
}
