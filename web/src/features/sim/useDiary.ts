import { useEffect, useState } from 'react'
import type { SimEntry } from '@/shared/api/types'
import { takeIn } from './diary'
import { diary } from './queries'

const AGAIN_MS = 2_000

/** Follows what happens between the platform and Koipond. onNews is called with each stretch of new entries. */
export function useDiary(onNews: (fresh: SimEntry[]) => void): { entries: SimEntry[]; lost: boolean } {
  const [entries, setEntries] = useState<SimEntry[]>([])
  const [lost, setLost] = useState(false)
  useEffect(() => {
    const end = new AbortController()
    const follow = async () => {
      let after = 0
      while (!end.signal.aborted) {
        try {
          const { entries: fresh } = await diary(after, end.signal)
          setLost(false)
          const last = fresh?.at(-1)
          if (!fresh || !last) continue
          const first = after === 0
          after = last.n
          setEntries((old) => takeIn(old, fresh))
          if (!first) onNews(fresh)
        } catch {
          if (end.signal.aborted) return
          setLost(true)
          await new Promise((r) => setTimeout(r, AGAIN_MS))
        }
      }
    }
    void follow()
    return () => end.abort()
  }, [onNews])
  return { entries, lost }
}
