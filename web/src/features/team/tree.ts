import type { Department } from '@/shared/api/types'

/** How deep each department lies: 0 at the top. They come each behind its parent. */
export function depths(all: Department[]): Map<string, number> {
  const out = new Map<string, number>()
  for (const d of all) out.set(d.id, d.parent === '' ? 0 : (out.get(d.parent) ?? 0) + 1)
  return out
}

/** Where a department may stand: anywhere but in itself and what lies below it; a new one anywhere. */
export function places(all: Department[], id: string | undefined): Department[] {
  if (id === undefined) return all
  const below = new Set([id])
  for (const d of all) if (below.has(d.parent)) below.add(d.id)
  return all.filter((d) => !below.has(d.id))
}
