import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '../api/client'
import type { AttributeDef, AttributeList, Place } from '../api/types'

/** What an input or a shown value needs to know of an attribute. */
export type AttributeShape = Pick<AttributeDef, 'key' | 'type'> & Partial<Pick<AttributeDef, 'options' | 'unit' | 'currency' | 'nameZh' | 'nameEn' | 'required' | 'group' | 'personal'>>

/** Every definition of attributes, and what arrived without one, is under this key. */
export const ATTRIBUTES_KEY = ['attributes'] as const

/** All attributes. While a change is being written they are looked at again. */
export const attributesQuery = () =>
  queryOptions({
    queryKey: [...ATTRIBUTES_KEY, 'list'],
    queryFn: ({ signal }) => unwrap<AttributeList>(api.GET('/api/attributes', { signal })),
    refetchInterval: (q) => (q.state.data?.items.some((a) => a.settling) ? 1500 : false),
  })

/** China's divisions; they do not change while a page is open. */
export const regionsQuery = () =>
  queryOptions({
    queryKey: ['regions'],
    queryFn: ({ signal }) => unwrap<{ items: Place[] }>(api.GET('/api/regions', { signal })),
    staleTime: Infinity,
  })

/** The name in the language of the console. */
export const attributeName = (a: AttributeShape, lang: string): string => (lang === 'en' ? a.nameEn || a.nameZh : a.nameZh || a.nameEn) || a.key

/** A place as the cascader takes it. */
export interface RegionNode {
  value: string
  label: string
  children?: RegionNode[]
}

/** The tree of a flat list in which each place stands after the one it is in. */
export function regionTree(places: readonly Place[]): RegionNode[] {
  const nodes = new Map<string, RegionNode>()
  const roots: RegionNode[] = []
  for (const p of places) {
    const node: RegionNode = { value: p.code, label: p.name }
    nodes.set(p.code, node)
    const parent = p.parent ? nodes.get(p.parent) : undefined
    if (parent) (parent.children ??= []).push(node)
    else roots.push(node)
  }
  return roots
}

/** The codes from the province down to a place. */
export function regionPath(places: readonly Place[], code: string): Place[] {
  const by = new Map(places.map((p) => [p.code, p]))
  const path: Place[] = []
  for (let at = by.get(code); at; at = at.parent ? by.get(at.parent) : undefined) path.unshift(at)
  return path
}

/** Minor units as people type them: 12050 is "120.5". */
export function majorUnits(amount: number, digits: number): string {
  return String(amount / 10 ** digits)
}
