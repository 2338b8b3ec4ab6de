import { lazy, Suspense, useMemo } from 'react'
import { usePrefs } from '../lib/prefs'
import type { SankeyOption } from './SankeyCanvas'
import { Loading } from './states'
import { chartPalette, fontFamily } from './theme'

const SankeyCanvas = lazy(() => import('./SankeyCanvas'))

export interface SankeyNode {
  id: string
  name: string
  color: string
}

export interface SankeyLink {
  from: string
  to: string
  value: number
}

interface Props {
  label: string
  nodes: SankeyNode[]
  links: SankeyLink[]
  format: (value: number) => string
  onLink: (index: number) => void
  height?: number
}

/** Flows from states at the left to states at the right; a state may stand on both sides. The page shows the same as a table. */
export function Sankey({ label, nodes, links, format, onLink, height = 360 }: Props) {
  const { dark } = usePrefs()
  const option = useMemo<SankeyOption>(() => {
    const p = chartPalette[dark ? 'dark' : 'light']
    const of = new Map(nodes.map((n) => [n.id, n]))
    const sides = (['from', 'to'] as const).flatMap((side) =>
      [...new Set(links.map((l) => l[side]))].map((id) => {
        const total = links.filter((l) => l[side] === id).reduce((sum, l) => sum + l.value, 0)
        return {
          name: `${side}:${id}`,
          depth: side === 'from' ? 0 : 1,
          itemStyle: { color: of.get(id)?.color ?? p.text, borderWidth: 0 },
          label: { position: side === 'from' ? ('right' as const) : ('left' as const), formatter: `${of.get(id)?.name ?? id}  ${format(total)}` },
        }
      }),
    )
    return {
      textStyle: { fontFamily },
      animationDuration: 300,
      tooltip: {
        trigger: 'item',
        backgroundColor: p.surface,
        borderColor: p.axis,
        borderWidth: 1,
        textStyle: { color: p.strong, fontSize: 12, fontFamily },
        formatter: (e) => {
          const one = Array.isArray(e) ? e[0] : e
          const link = one?.dataType === 'edge' ? links[one.dataIndex] : undefined
          return link ? `${of.get(link.from)?.name ?? link.from} → ${of.get(link.to)?.name ?? link.to}: <b>${format(link.value)}</b>` : ''
        },
      },
      series: [
        {
          type: 'sankey',
          left: 4,
          right: 4,
          top: 8,
          bottom: 8,
          nodeWidth: 10,
          nodeGap: 14,
          draggable: false,
          emphasis: { focus: 'adjacency' },
          label: { color: p.strong, fontSize: 12, fontFamily },
          lineStyle: { color: 'gradient', opacity: dark ? 0.35 : 0.28, curveness: 0.5 },
          data: sides,
          links: links.map((l) => ({ source: `from:${l.from}`, target: `to:${l.to}`, value: l.value })),
        },
      ],
    }
  }, [nodes, links, format, dark])
  return (
    <Suspense fallback={<Loading height={height} />}>
      <SankeyCanvas label={label} option={option} height={height} onLink={onLink} />
    </Suspense>
  )
}
