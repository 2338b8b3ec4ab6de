import type { Overview } from '@/shared/api/types'

export type TrendKey = Overview['trend']['series'][number]['key']

/** What stands beside the chart. */
export interface TrendFacts {
  /** Sum of the buckets; undefined where summing would count people twice. */
  total?: number
  average: number
  /** The highest bucket, if any is above zero. */
  peak?: { value: number; bucket: string }
}

/** Sums up one series. Active people are distinct within a bucket only, so they have no total. */
export function trendFacts(key: TrendKey, values: number[], buckets: string[]): TrendFacts {
  const sum = values.reduce((a, b) => a + b, 0)
  let at = -1
  values.forEach((v, i) => {
    if (v > 0 && (at < 0 || v > (values[at] ?? 0))) at = i
  })
  const bucket = buckets[at]
  return {
    total: key === 'active' ? undefined : sum,
    average: values.length ? sum / values.length : 0,
    peak: bucket === undefined ? undefined : { value: values[at] ?? 0, bucket },
  }
}
