import type { OverviewKpi } from '@/shared/api/types'

/** How a number compares with the period before. */
export type Delta =
  /** There is nothing to compare with. */
  | { kind: 'none' }
  /** It was zero and is not any more; a percentage would be infinite. */
  | { kind: 'fresh' }
  /** Changed by this share: 0.12 is 12 % more. */
  | { kind: 'share'; value: number }
  /** A ratio moved by so much of one: 0.012 is 1.2 percentage points. */
  | { kind: 'points'; value: number }

/** Compares a number with the period before. Ratios move in points, everything else in shares. */
export function deltaOf({ value, previous, unit }: Pick<OverviewKpi, 'value' | 'previous' | 'unit'>): Delta {
  if (previous === undefined || !Number.isFinite(value) || !Number.isFinite(previous)) return { kind: 'none' }
  if (unit === 'ratio') return { kind: 'points', value: value - previous }
  if (previous === 0) return value === 0 ? { kind: 'share', value: 0 } : { kind: 'fresh' }
  // Revenue can be negative when refunds outweigh sales: moving towards zero from below is a rise.
  return { kind: 'share', value: (value - previous) / Math.abs(previous) }
}
