import type { Tag } from '@/shared/api/types'

/** A tag with how deep it stands, in the order of the tree. */
export interface Branch {
  tag: Tag
  depth: number
}

/** The tags of a group as lines of a tree: the server puts parents before their children. */
export function branches(tags: readonly Tag[]): Branch[] {
  const depth = new Map<string, number>()
  return tags.map((tag) => {
    const d = tag.parent ? (depth.get(tag.parent) ?? 0) + 1 : 0
    depth.set(tag.id, d)
    return { tag, depth: d }
  })
}

/** Where a tag goes when it is dropped on another: before it, below the same parent. Undefined where it cannot stand. */
export function dropOn(tags: readonly Tag[], id: string, target: string): { parent?: string; ids: string[] } | undefined {
  const on = tags.find((x) => x.id === target)
  if (!on || id === target) return undefined
  for (let up = on.parent; up; up = tags.find((x) => x.id === up)?.parent) if (up === id) return undefined // not below itself
  const ids = tags.filter((x) => x.parent === on.parent && x.id !== id).map((x) => x.id)
  ids.splice(ids.indexOf(target), 0, id)
  return { parent: on.parent, ids }
}

/** One step up or down among those of the same parent. Undefined at the end. */
export function step<T extends { id: string }>(level: readonly T[], id: string, by: -1 | 1): string[] | undefined {
  const ids = level.map((x) => x.id)
  const from = ids.indexOf(id)
  const to = from + by
  if (from < 0 || to < 0 || to >= ids.length) return undefined
  ids.splice(to, 0, ...ids.splice(from, 1))
  return ids
}
