import { SankeyChart, type SankeySeriesOption } from 'echarts/charts'
import { TooltipComponent, type TooltipComponentOption } from 'echarts/components'
import { init, use as register, type ComposeOption, type ECharts } from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'
import { useEffect, useRef } from 'react'

register([SankeyChart, TooltipComponent, CanvasRenderer])

export type SankeyOption = ComposeOption<SankeySeriesOption | TooltipComponentOption>

/** The drawing itself, in a chunk of its own. */
export default function SankeyCanvas({ option, height, label, onLink }: { option: SankeyOption; height: number; label: string; onLink: (index: number) => void }) {
  const box = useRef<HTMLDivElement>(null)
  const chart = useRef<ECharts>(null)
  const open = useRef(onLink)
  useEffect(() => {
    open.current = onLink
  }, [onLink])
  useEffect(() => {
    if (!box.current) return
    const c = init(box.current, null, { renderer: 'canvas' })
    chart.current = c
    c.on('click', (e) => {
      if (e.dataType === 'edge' && e.dataIndex !== undefined) open.current(e.dataIndex)
    })
    const watch = new ResizeObserver(() => c.resize())
    watch.observe(box.current)
    return () => {
      watch.disconnect()
      c.dispose()
    }
  }, [])
  useEffect(() => {
    chart.current?.setOption(option, { notMerge: true })
  }, [option])
  return <div ref={box} role="img" aria-label={label} style={{ height, width: '100%' }} />
}
