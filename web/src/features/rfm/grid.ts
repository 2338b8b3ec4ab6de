import type { Rfm, RfmMigration } from '@/shared/api/types'

/** What stands across the grid; recency always stands down its side. */
export type Axis = 'f' | 'm'

/** One square of the grid. */
export interface Square {
  r: number
  x: number
  people: number
  money: number
}

/** The 25 squares, recent customers at the top, the best at the right. */
export function squares(data: Rfm, axis: Axis): Square[] {
  const out: Square[] = []
  for (let r = 5; r >= 1; r--) {
    for (let x = 1; x <= 5; x++) {
      const cells = (data.cells ?? []).filter((c) => c.r === r && c[axis] === x)
      out.push({ r, x, people: cells.reduce((n, c) => n + c.people, 0), money: cells.reduce((n, c) => n + c.money, 0) })
    }
  }
  return out
}

/** How dark a square is, 0 to 4: by the root, so that few are seen beside many. */
export function shade(people: number, most: number): number {
  return people <= 0 || most <= 0 ? 0 : Math.min(4, Math.floor(Math.sqrt(people / most) * 4.999))
}

type Cond = { field: string; key: string; op: string; value: string | string[] }

/** The list of contacts that fulfil all of these. */
export function listOf(all: Cond[]): string {
  return `/contacts?where=${encodeURIComponent(JSON.stringify({ v: 1, all }))}`
}

export const squareLink = (model: string, axis: Axis, s: Square) =>
  listOf([`r${s.r}`, `${axis}${s.x}`].map((value) => ({ field: 'rfmScore', key: model, op: 'in', value: [value] })))

export const groupLink = (model: string, group: string) => listOf([{ field: 'rfm', key: model, op: 'in', value: [group] }])
export const tierLink = (model: string, tier: string) => listOf([{ field: 'tier', key: model, op: 'in', value: [tier] }])
export const moveLink = (model: string, value: string) => listOf([{ field: 'rfmMove', key: model, op: 'is', value }])

/** Passages by where they begin and end. */
export function matrix(m: RfmMigration): Map<string, { count: number; value: string }> {
  return new Map((m.passages ?? []).map((p) => [`${p.from}>${p.to}`, p]))
}
