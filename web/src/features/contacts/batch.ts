/** How a run over many is going, or went. */
export interface BatchState<T> {
  total: number
  done: number
  failed: { item: T; error: unknown }[]
  /** Ended before the last one because somebody stopped it. */
  stopped: boolean
}

/** At most this many in one go from the browser. */
export const BATCH_MAX = 200

/**
 * Does the work for each, one after the other, and goes on past failures.
 * Aborting stops before the next; the one under way is waited for, so that the
 * counts are true.
 */
export async function runBatch<T>(
  items: readonly T[],
  work: (item: T) => Promise<unknown>,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (state: BatchState<T>) => void },
): Promise<BatchState<T>> {
  let state: BatchState<T> = { total: items.length, done: 0, failed: [], stopped: false }
  onProgress(state)
  for (const item of items) {
    if (signal.aborted) {
      state = { ...state, stopped: true }
      break
    }
    try {
      await work(item)
      state = { ...state, done: state.done + 1 }
    } catch (error) {
      state = { ...state, failed: [...state.failed, { item, error }] }
    }
    onProgress(state)
  }
  onProgress(state)
  return state
}
