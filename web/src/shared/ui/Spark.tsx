/** A line of figures a few letters wide. The label says what it shows. */
export function Spark({ values, label, width = 72, height = 20, className }: { values: readonly number[]; label: string; width?: number; height?: number; className?: string }) {
  const most = Math.max(1, ...values)
  const at = (v: number, i: number) => `${((i / Math.max(1, values.length - 1)) * width).toFixed(1)},${(height - 2 - (v / most) * (height - 4)).toFixed(1)}`
  return (
    <svg className={className} width={width} height={height} role="img" aria-label={label}>
      <polyline points={values.map(at).join(' ')} fill="none" stroke="currentColor" strokeWidth="1.5" />
    </svg>
  )
}
