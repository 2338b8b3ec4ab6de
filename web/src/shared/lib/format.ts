import type { Money } from '../api/types'

const cache = new Map<string, Intl.NumberFormat>()

function numberFormat(lang: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = lang + JSON.stringify(options)
  let f = cache.get(key)
  if (!f) cache.set(key, (f = new Intl.NumberFormat(lang, options)))
  return f
}

/** 12846 → "12,846". */
export function formatInt(n: number, lang: string): string {
  return numberFormat(lang, { maximumFractionDigits: 0 }).format(n)
}

/** Short numbers for axes and tight places: "1.3万" in Chinese, "12.8K" in English. */
export function formatCompact(n: number, lang: string): string {
  return numberFormat(lang, { notation: 'compact', maximumFractionDigits: 1 }).format(n)
}

/** 0.1073 → "10.7%". */
export function formatPercent(ratio: number, lang: string, digits = 1): string {
  return numberFormat(lang, { style: 'percent', minimumFractionDigits: digits, maximumFractionDigits: digits }).format(ratio)
}

/** How many minor units make one unit of the currency: 100 for CNY, 1 for JPY. */
export function minorUnits(currency: string): number {
  try {
    const { maximumFractionDigits } = numberFormat('en', { style: 'currency', currency }).resolvedOptions()
    return 10 ** (maximumFractionDigits ?? 2)
  } catch {
    return 100 // not a currency code Intl knows: shown with two places
  }
}

interface MoneyStyle {
  /** "¥1.2万" instead of every digit. */
  compact?: boolean
  /** Leave out the cents; for big totals. */
  whole?: boolean
}

/** Money in minor units as words: {amount: 12345, currency: 'CNY'} → "¥123.45". */
export function formatMoney(money: Money, lang: string, { compact, whole }: MoneyStyle = {}): string {
  const value = money.amount / minorUnits(money.currency)
  const options: Intl.NumberFormatOptions = { style: 'currency', currency: money.currency, currencyDisplay: 'narrowSymbol' }
  if (compact) Object.assign(options, { notation: 'compact', maximumFractionDigits: 1 })
  else if (whole) Object.assign(options, { minimumFractionDigits: 0, maximumFractionDigits: 0 })
  try {
    return numberFormat(lang, options).format(value)
  } catch {
    return `${formatInt(value, lang)} ${money.currency}`
  }
}

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const

/** 1536 → "1.5 KB". */
export function formatBytes(bytes: number, lang: string): string {
  let n = bytes
  let u = 0
  while (n >= 1024 && u < UNITS.length - 1) {
    n /= 1024
    u++
  }
  return `${numberFormat(lang, { maximumFractionDigits: n < 10 && u > 0 ? 1 : 0 }).format(n)} ${UNITS[u] ?? 'B'}`
}

/** A length of time in its two largest parts: 93784 → "1 天 2 小时" / "1 day 2 hr". */
export function formatSeconds(seconds: number, lang: string): string {
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'day'],
    [Math.floor((seconds % 86_400) / 3600), 'hour'],
    [Math.floor((seconds % 3600) / 60), 'minute'],
    [Math.floor(seconds % 60), 'second'],
  ]
  const first = parts.findIndex(([n]) => n > 0)
  const from = first === -1 ? parts.length - 1 : first
  return parts
    .slice(from, from + 2)
    .filter(([n], i) => n > 0 || i === 0)
    .map(([n, unit]) => numberFormat(lang, { style: 'unit', unit, unitDisplay: 'short' }).format(n))
    .join(' ')
}

/** A stable number 0..7 from any text, for avatar and series colours. */
export function hueOf(text: string): number {
  let h = 0
  for (const c of text) h = (h * 31 + (c.codePointAt(0) ?? 0)) % 8
  return h
}

/** The one or two signs that stand for a name in its avatar: the last of a Chinese name, initials otherwise. */
export function initials(name: string): string {
  const n = name.trim()
  if (!n) return '?'
  if (/\p{Script=Han}/u.test(n)) return [...n].at(-1) ?? '?'
  const words = n.split(/\s+/)
  return words.slice(0, 2).map((w) => [...w][0]?.toUpperCase() ?? '').join('')
}
