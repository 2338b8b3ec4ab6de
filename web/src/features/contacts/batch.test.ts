import { describe, expect, it, vi } from 'vitest'
import { runBatch } from './batch'

describe('runBatch', () => {
  it('goes on past failures and counts both', async () => {
    const bad = new Error('no')
    const seen = vi.fn()
    const end = await runBatch([1, 2, 3], (n) => (n === 2 ? Promise.reject(bad) : Promise.resolve()), { signal: new AbortController().signal, onProgress: seen })
    expect(end).toEqual({ total: 3, done: 2, failed: [{ item: 2, error: bad }], stopped: false })
    expect(seen.mock.calls.map(([s]) => s.done)).toEqual([0, 1, 1, 2, 2])
  })

  it('works on one at a time', async () => {
    let running = 0
    let most = 0
    await runBatch([1, 2, 3, 4], async () => {
      most = Math.max(most, ++running)
      await Promise.resolve()
      running--
    }, { signal: new AbortController().signal, onProgress: () => undefined })
    expect(most).toBe(1)
  })

  it('stops before the next when aborted, and says so', async () => {
    const stop = new AbortController()
    const work = vi.fn(async (n: number) => {
      if (n === 2) stop.abort()
    })
    const end = await runBatch([1, 2, 3], work, { signal: stop.signal, onProgress: () => undefined })
    expect(work).toHaveBeenCalledTimes(2)
    expect(end).toMatchObject({ done: 2, stopped: true })
  })

  it('is not stopped when the abort comes after the last', async () => {
    const stop = new AbortController()
    const end = await runBatch([1], async () => stop.abort(), { signal: stop.signal, onProgress: () => undefined })
    expect(end.stopped).toBe(false)
  })
})
