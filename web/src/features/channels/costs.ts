import type { ChannelCost } from '@/shared/api/types'
import { addDays, type Day } from '@/shared/lib/time'

/** How many days the grid shows at once. */
export const GRID_DAYS = 7

/** The days of the grid that ends with a day. */
export function gridDays(last: Day): Day[] {
  return Array.from({ length: GRID_DAYS }, (_, i) => addDays(last, i - GRID_DAYS + 1))
}

/** The key of a cell. */
export const cellKey = (channel: string, day: Day) => `${channel} ${day}`

/** Reads what a person typed into minor units: "1,234.5" is 123450 where a hundred make one. Undefined when it is no sum. */
export function readAmount(text: string, minor: number): number | undefined {
  const clean = text.replace(/[,，\s¥￥$€]/g, '')
  if (clean === '') return 0
  if (!/^\d+(\.\d*)?$/.test(clean)) return undefined
  const amount = Math.round(Number(clean) * minor)
  return Number.isSafeInteger(amount) && amount <= 10_000_000_000 ? amount : undefined
}

/** Writes an amount for editing, without separators. */
export function writeAmount(amount: number, minor: number): string {
  if (amount === 0) return ''
  const places = Math.round(Math.log10(minor))
  const text = (amount / minor).toFixed(places)
  return places === 0 ? text : text.replace(/\.?0+$/, '')
}

/** The cells that were typed and differ from what is kept; undefined when one of them is no sum. */
export function changedCells(typed: ReadonlyMap<string, string>, kept: ReadonlyMap<string, number>, minor: number): ChannelCost[] | undefined {
  const out: ChannelCost[] = []
  for (const [key, text] of typed) {
    const amount = readAmount(text, minor)
    if (amount === undefined) return undefined
    const [channel = '', day = ''] = key.split(' ')
    if (amount !== (kept.get(key) ?? 0)) out.push({ channel, day, amount })
  }
  return out
}
