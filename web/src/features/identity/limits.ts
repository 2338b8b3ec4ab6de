import type { KindUsage } from '@/shared/api/types'

/** How many contacts carry more of a kind than a limit allows. A limit of 0 is none. */
export function beyond(usage: Pick<KindUsage, 'spread'> | undefined, limit: number): number {
  if (!usage || limit === 0) return 0
  return usage.spread.reduce((sum, c) => (c.carry > limit ? sum + c.contacts : sum), 0)
}

/** Values of a pasted or read list: one on a line; of a table, its first column. */
export function listed(text: string): string[] {
  const out = new Set<string>()
  for (const line of text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/)) {
    const first = line.split(/[,;\t，；]/)[0]?.trim().replace(/^"(.*)"$/, '$1').trim()
    if (first) out.add(first)
  }
  return [...out]
}

/** How many values one request takes. */
export const AT_ONCE = 5000
