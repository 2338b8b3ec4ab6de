import type { Rule, RuleNode } from '@/shared/api/types'
import { ready } from './behaviour'
import { kindOf, MAX_DEPTH, partsOf, type GroupKind } from './rule'

/**
 * A rule while it is edited. Every part has an id of its own for as long as it
 * is on screen, so that it keeps its place when others move; `off` leaves it
 * out of the rule without losing it.
 */
export interface Group {
  id: string
  kind: GroupKind
  parts: Item[]
  off?: boolean
}
export interface Leaf {
  id: string
  node: RuleNode
  off?: boolean
}
export type Item = Group | Leaf

/** A place between the parts of a group, counted from 0. */
export interface Place {
  group: string
  index: number
}

let last = 0
const newId = () => `r${++last}`

export const isGroup = (i: Item): i is Group => 'parts' in i
export const newGroup = (kind: GroupKind, parts: Item[] = []): Group => ({ id: newId(), kind, parts })
export const newLeaf = (node: RuleNode): Leaf => ({ id: newId(), node })

/** The tree that the builder edits: its outermost part is always a group. */
export function fromRule(rule: Rule | undefined): Group {
  if (!rule) return newGroup('all')
  const node: RuleNode & { v?: number } = { ...rule }
  delete node.v
  const item = fromNode(node)
  if (isGroup(item)) return item
  return newGroup('all', Object.keys(node).length > 0 ? [item] : []) // {"v":1} is everybody
}

function fromNode(n: RuleNode): Item {
  const kind = kindOf(n)
  return kind ? newGroup(kind, partsOf(n).map(fromNode)) : newLeaf(n)
}

/** What an edited tree says: without what is off or not filled in yet, and where each of its parts ended up. */
export interface Said {
  /** Nothing when no condition is left. */
  rule: Rule | undefined
  /** Ids by path in the rule, such as `all[0].any[1]`; the outermost group is the empty path. */
  at: ReadonlyMap<string, string>
  /** How many conditions are not filled in yet, and how many parts are off. */
  unfinished: number
  off: number
}

export function toRule(root: Group): Said {
  const at = new Map<string, string>()
  let unfinished = 0
  let off = 0
  const keep = (i: Item): boolean => {
    if (i.off) {
      off++
      return false
    }
    if (isGroup(i)) return true
    const ok = ready(i.node)
    if (!ok) unfinished++
    return ok
  }
  // Which groups have something to say is known only after their parts were asked.
  const clean = (i: Item): Item | undefined => {
    if (!keep(i)) return undefined
    if (!isGroup(i)) return i
    const parts = i.parts.map(clean).filter((p) => p !== undefined)
    return parts.length > 0 ? { ...i, parts } : undefined
  }
  const write = (i: Item, path: string): RuleNode => {
    at.set(path, i.id)
    if (!isGroup(i)) return i.node
    return { [i.kind]: i.parts.map((p, n) => write(p, `${path ? `${path}.` : ''}${i.kind}[${n}]`)) }
  }
  const said = clean(root)
  return { rule: said && ({ v: 1, ...write(said, '') } as Rule), at, unfinished, off }
}

/** The part that an error's path speaks of, and what it says about within that part. */
export function faultAt(path: string, at: Said['at']): { id: string; rest: string } | undefined {
  const steps = path.replaceAll(/\.(\d+)/g, '[$1]').split('.')
  // What stands before the rule in the path of the request: "where", "filter.where", "rule".
  const start = steps.findIndex((s) => /^(all|any|none)(\[|$)/.test(s))
  const inside = start === -1 ? [] : steps.slice(start)
  for (let end = inside.length; end >= 0; end--) {
    const id = at.get(inside.slice(0, end).join('.'))
    if (id !== undefined) return { id, rest: inside.slice(end).join('.') }
  }
  return undefined
}

/** Where a part is: its group, its place there, and how many groups stand around it. */
export function locate(root: Group, id: string): (Place & { item: Item; depth: number }) | undefined {
  const look = (g: Group, depth: number): (Place & { item: Item; depth: number }) | undefined => {
    for (const [index, item] of g.parts.entries()) {
      if (item.id === id) return { group: g.id, index, item, depth }
      const inside = isGroup(item) ? look(item, depth + 1) : undefined
      if (inside) return inside
    }
    return undefined
  }
  return look(root, 1)
}

/** How many groups stand inside each other within a part. */
export function heightOf(i: Item): number {
  return isGroup(i) ? 1 + Math.max(0, ...i.parts.map(heightOf)) : 0
}

/** The groups of the tree with how deep each lies; the outermost is 1. */
function groupsOf(root: Group): Map<string, number> {
  const out = new Map<string, number>()
  const walk = (g: Group, depth: number) => {
    out.set(g.id, depth)
    for (const p of g.parts) if (isGroup(p)) walk(p, depth + 1)
  }
  walk(root, 1)
  return out
}

const leavesOf = (i: Item): Leaf[] => (isGroup(i) ? i.parts.flatMap(leavesOf) : [i])
/** How many conditions a part has, whatever their state. */
export const sizeOf = (i: Item): number => leavesOf(i).length

/** Replaces the parts of one group. */
function inGroup(root: Group, id: string, change: (parts: Item[]) => Item[]): Group {
  if (root.id === id) return { ...root, parts: change(root.parts) }
  return { ...root, parts: root.parts.map((p) => (isGroup(p) ? inGroup(p, id, change) : p)) }
}

/** Changes one part, or the outermost group, by its id. */
export function update<T extends Item>(root: Group, id: string, change: (item: T) => Item): Group {
  if (root.id === id) return change(root as Item as T) as Group
  return { ...root, parts: root.parts.map((p) => (p.id === id ? change(p as T) : isGroup(p) ? update(p, id, change) : p)) }
}

/** Puts a part into a group; a place behind its end is its end. */
export function insert(root: Group, { group, index }: Place, item: Item): Group {
  return inGroup(root, group, (parts) => [...parts.slice(0, index), item, ...parts.slice(index)])
}

export function remove(root: Group, id: string): Group {
  return { ...root, parts: root.parts.filter((p) => p.id !== id).map((p) => (isGroup(p) ? remove(p, id) : p)) }
}

/** Whether a part may be put into a group: not into itself, and not too deep. */
export function fits(root: Group, item: Item, group: string): boolean {
  if (isGroup(item) && groupsOf(item).has(group)) return false
  const depth = groupsOf(root).get(group)
  return depth !== undefined && depth + heightOf(item) <= MAX_DEPTH
}

/** Moves a part to a place, as places are counted before it moves. A move that may not be leaves the tree as it is. */
export function moveTo(root: Group, id: string, place: Place): Group {
  const from = locate(root, id)
  if (!from || !fits(root, from.item, place.group)) return root
  const same = from.group === place.group
  if (same && (place.index === from.index || place.index === from.index + 1)) return root
  const index = same && place.index > from.index ? place.index - 1 : place.index
  return insert(remove(root, id), { group: place.group, index }, from.item)
}

/** Every place of the tree, from top to bottom. */
function places(root: Group): Place[] {
  const out: Place[] = []
  const walk = (g: Group) => {
    for (const [index, p] of g.parts.entries()) {
      out.push({ group: g.id, index })
      if (isGroup(p)) walk(p)
    }
    out.push({ group: g.id, index: g.parts.length })
  }
  walk(root)
  return out
}

/** Moves a part one place up or down, into groups and out of them. */
export function step(root: Group, id: string, by: 1 | -1): Group {
  const from = locate(root, id)
  if (!from) return root
  const without = remove(root, id)
  const all = places(without)
  for (let at = all.findIndex((p) => p.group === from.group && p.index === from.index) + by; ; at += by) {
    const place = all[at]
    if (!place) return root
    if (fits(without, from.item, place.group)) return insert(without, place, from.item)
  }
}

function copy(i: Item): Item {
  return isGroup(i) ? { ...i, id: newId(), parts: i.parts.map(copy) } : { ...i, id: newId(), node: structuredClone(i.node) }
}

/** Puts a copy of a part behind it. */
export function duplicate(root: Group, id: string): Group {
  const from = locate(root, id)
  return from ? insert(root, { group: from.group, index: from.index + 1 }, copy(from.item)) : root
}

/** Whether a part can get a group around it. */
export function wraps(root: Group, id: string): boolean {
  const from = locate(root, id)
  return from !== undefined && from.depth + 1 + heightOf(from.item) <= MAX_DEPTH
}

/** Puts a group around a part. Its kind is the other one, because a group of the same kind would say nothing new. */
export function wrap(root: Group, id: string): Group {
  if (!wraps(root, id)) return root
  const from = locate(root, id)
  let outer: GroupKind = root.kind
  if (from && from.group !== root.id) {
    const around = locate(root, from.group)?.item
    if (around && isGroup(around)) outer = around.kind
  }
  return update(root, id, (item) => newGroup(outer === 'all' ? 'any' : 'all', [item]))
}

/** Takes the group from around its parts, which take its place. A "none of these" stays: without it, they would say the opposite. */
export function unwrap(root: Group, id: string): Group {
  const from = locate(root, id)
  if (!from || !isGroup(from.item) || from.item.kind === 'none') return root
  const { parts } = from.item
  return inGroup(root, from.group, (all) => all.flatMap((p) => (p.id === id ? parts : [p])))
}
