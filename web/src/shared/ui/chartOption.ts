import { formatCompact } from '../lib/format'
import type { ChartOption } from './ChartCanvas'
import { fontFamily, type ChartPalette } from './theme'

/** One line or row of bars. */
export interface Series {
  key: string
  name: string
  values: number[]
  /** Draws this one differently from the rest. */
  kind?: 'line' | 'bar'
}

interface Input {
  buckets: string[]
  series: Series[]
  palette: ChartPalette
  lang: string
  format: (value: number) => string
  axisFormat?: (value: number) => string
  kind?: 'line' | 'bar'
  stacked?: boolean
}

const DASHES = ['solid', 'dashed', 'dotted'] as const

/** Builds the drawing for series over time. */
export function chartOption({ buckets, series, palette: p, lang, format, axisFormat, kind = 'line', stacked }: Input): ChartOption {
  const onlyLines = kind === 'line' && series.every((s) => (s.kind ?? 'line') === 'line')
  return {
    color: [...p.series],
    textStyle: { fontFamily },
    animationDuration: 300,
    grid: { left: 4, right: 8, top: 14, bottom: 2, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    tooltip: {
      trigger: 'axis',
      backgroundColor: p.surface,
      borderColor: p.axis,
      borderWidth: 1,
      padding: [8, 12],
      textStyle: { color: p.strong, fontSize: 12, fontFamily },
      extraCssText: 'border-radius:10px;box-shadow:0 8px 28px -6px rgba(22,29,45,.18)',
      axisPointer: { type: onlyLines ? 'line' : 'shadow', lineStyle: { color: p.text, type: 'dashed' }, shadowStyle: { color: p.split, opacity: 0.6 } },
      valueFormatter: (v) => format(Number(v)),
    },
    xAxis: {
      type: 'category',
      data: buckets,
      boundaryGap: !onlyLines,
      axisTick: { show: false },
      axisLine: { lineStyle: { color: p.axis } },
      axisLabel: { color: p.text, fontSize: 11, hideOverlap: true, margin: 10 },
    },
    yAxis: {
      type: 'value',
      splitNumber: 4,
      minInterval: 1,
      axisLabel: { color: p.text, fontSize: 11, formatter: (v: number) => (axisFormat ? axisFormat(v) : formatCompact(v, lang)) },
      splitLine: { lineStyle: { color: p.split } },
    },
    series: series.map((s, i) => {
      const color = p.series[i % p.series.length] ?? p.text
      const common = { name: s.name, data: s.values, stack: stacked ? 'all' : undefined }
      if ((s.kind ?? kind) === 'bar') {
        return { ...common, type: 'bar' as const, barMaxWidth: 28, itemStyle: { borderRadius: stacked ? 0 : [4, 4, 0, 0] } }
      }
      return {
        ...common,
        type: 'line' as const,
        smooth: 0.25,
        symbol: 'circle',
        symbolSize: 6,
        showSymbol: s.values.length === 1,
        lineStyle: { width: 2, type: DASHES[i % DASHES.length] },
        areaStyle: i === 0 && !stacked ? { opacity: 1, color: fade(color) } : stacked ? { opacity: 0.2 } : undefined,
      }
    }),
  }
}

function fade(color: string) {
  return {
    type: 'linear' as const,
    x: 0,
    y: 0,
    x2: 0,
    y2: 1,
    colorStops: [
      { offset: 0, color: color + '2E' },
      { offset: 1, color: color + '00' },
    ],
  }
}
