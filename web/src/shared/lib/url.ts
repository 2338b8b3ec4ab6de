import { useCallback, useMemo } from 'react'
import { useSearchParams } from 'react-router'
import { parseRange, type DayRange, type Preset } from './range'
import { useTimezone } from './session'

/** Values to write into the address; empty ones are taken out. */
export type UrlPatch = Record<string, string | undefined | null>

/** Writes several address parameters at once, without a new history entry unless asked. */
export function useUrlPatch(): (patch: UrlPatch, push?: boolean) => void {
  const [, setParams] = useSearchParams()
  return useCallback(
    (patch, push = false) =>
      setParams(
        (old) => {
          const next = new URLSearchParams(old)
          for (const [k, v] of Object.entries(patch)) {
            if (v) next.set(k, v)
            else next.delete(k)
          }
          return next
        },
        { replace: !push },
      ),
    [setParams],
  )
}

/** One text filter that lives in the address, so that a filtered list can be shared and survives a reload. */
export function useUrlText(key: string): [string, (value: string) => void] {
  const [params] = useSearchParams()
  const patch = useUrlPatch()
  const set = useCallback((value: string) => patch({ [key]: value }), [patch, key])
  return [params.get(key) ?? '', set]
}

/** One choice out of a fixed set that lives in the address; anything else in the address counts as not chosen. */
export function useUrlChoice<T extends string>(key: string, choices: readonly T[]): [T | undefined, (value: T | undefined) => void]
export function useUrlChoice<T extends string>(key: string, choices: readonly T[], fallback: T): [T, (value: T | undefined) => void]
export function useUrlChoice<T extends string>(key: string, choices: readonly T[], fallback?: T) {
  const [text, setText] = useUrlText(key)
  const value = choices.find((c) => c === text) ?? fallback
  const set = useCallback((v: T | undefined) => setText(v === undefined || v === fallback ? '' : v), [setText, fallback])
  return [value, set]
}

/** How a list is ordered. */
export interface Sort<K extends string> {
  sort: K
  order: 'asc' | 'desc'
}

/** The order of a list, in the address as ?sort=…&order=… . */
export function useUrlSort<K extends string>(keys: readonly K[], fallback: Sort<K>): [Sort<K>, (next: Sort<K> | undefined) => void] {
  const [params] = useSearchParams()
  const patch = useUrlPatch()
  const sort = keys.find((k) => k === params.get('sort'))
  const order = params.get('order') === 'asc' ? 'asc' : 'desc'
  const value = useMemo(() => (sort ? { sort, order } : fallback) as Sort<K>, [sort, order, fallback])
  const set = useCallback((next: Sort<K> | undefined) => patch({ sort: next?.sort, order: next?.order }), [patch])
  return [value, set]
}

/** The period of a page, in the address, in the company's time zone. */
export function useUrlRange(fallback: Preset = '30d'): [DayRange, (next: { preset: Preset } | { first: string; last: string }) => void] {
  const [params] = useSearchParams()
  const patch = useUrlPatch()
  const zone = useTimezone()
  const text = params.toString()
  const value = useMemo(() => parseRange(new URLSearchParams(text), fallback, zone), [text, fallback, zone])
  const set = useCallback(
    (next: { preset: Preset } | { first: string; last: string }) =>
      'preset' in next
        ? patch({ range: next.preset === fallback ? '' : next.preset, first: '', last: '' })
        : patch({ range: '', first: next.first, last: next.last }),
    [patch, fallback],
  )
  return [value, set]
}
