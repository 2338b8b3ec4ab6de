import { useEffect, useState } from 'react'
import type { LiveFact } from '@/shared/api/types'

/** What the live screen lets through; the server filters. */
export interface LiveFilter {
  name?: string
  type?: string
  contact?: string
  source?: string
}

export type LiveState = 'connecting' | 'live' | 'lost'

/** How many facts stay on screen. Older ones are in the timeline and in reports. */
export const KEEP = 200

/** Puts newly arrived facts on top, without repeats, and forgets the oldest. */
export function takeIn(old: LiveFact[], fresh: LiveFact[]): LiveFact[] {
  const key = (f: LiveFact) => `${f.position}/${f.messageId}`
  const known = new Set(old.map(key))
  const add = fresh.filter((f) => {
    const k = key(f)
    if (known.has(k)) return false
    known.add(k)
    return true
  })
  return add.length === 0 ? old : [...add.reverse(), ...old].slice(0, KEEP)
}

/** The address of the stream for a filter. */
export function liveUrl(filter: LiveFilter): string {
  const q = new URLSearchParams()
  for (const [k, v] of Object.entries(filter)) if (v) q.set(k, v)
  const text = q.toString()
  return text ? `/api/facts/live?${text}` : '/api/facts/live'
}

const FLUSH_MS = 200

/** Follows facts as they arrive. Paused, it stays connected to nothing and keeps what it has. */
export function useLive(filter: LiveFilter, paused: boolean): { facts: LiveFact[]; state: LiveState; clear: () => void } {
  const url = liveUrl(filter)
  const [facts, setFacts] = useState<LiveFact[]>([])
  const [state, setState] = useState<LiveState>('connecting')
  const [shownFor, setShownFor] = useState(url)
  if (shownFor !== url) {
    setShownFor(url)
    setFacts([])
    setState('connecting')
  }
  useEffect(() => {
    if (paused) return
    const stream = new EventSource(url)
    let waiting: LiveFact[] = []
    // Facts may come by the thousand: the screen is drawn a few times a second.
    const timer = setInterval(() => {
      if (waiting.length === 0) return
      const batch = waiting
      waiting = []
      setFacts((old) => takeIn(old, batch))
    }, FLUSH_MS)
    stream.addEventListener('open', () => setState('live'))
    stream.addEventListener('error', () => setState('lost'))
    stream.addEventListener('fact', (e) => {
      waiting.push(JSON.parse(e.data as string) as LiveFact)
      if (waiting.length > KEEP) waiting = waiting.slice(-KEEP)
    })
    return () => {
      clearInterval(timer)
      stream.close()
    }
  }, [url, paused])
  return { facts, state, clear: () => setFacts([]) }
}
