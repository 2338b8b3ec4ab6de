import { lazy, Suspense } from 'react'
import type { DaySpanProps } from './DaySpanPicker'

const DaySpanPicker = lazy(() => import('./DaySpanPicker'))

/** Picks two days, either of which may be left open; for filters that are off until used. */
export function DayPicker({ width = 266, ...rest }: DaySpanProps) {
  return (
    <Suspense fallback={<span className="kp-bone" style={{ width, height: 34 }} />}>
      <DaySpanPicker width={width} {...rest} />
    </Suspense>
  )
}
