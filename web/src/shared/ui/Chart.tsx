import { ChartLine, Table2 } from 'lucide-react'
import { lazy, Suspense, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { usePrefs } from '../lib/prefs'
import { chartOption, type Series } from './chartOption'
import { Button } from './kit'
import { Loading } from './states'
import { chartPalette } from './theme'

const ChartCanvas = lazy(() => import('./ChartCanvas'))

interface Props {
  /** What the chart shows, for screen readers and the table. */
  label: string
  /** Names of the points on the x axis, in order. */
  buckets: string[]
  series: Series[]
  /** Writes a value out in full, for the tooltip and the table. */
  format: (value: number) => string
  /** Writes a value short, for the axis; defaults to 1.2万 / 12K. */
  axisFormat?: (value: number) => string
  height?: number
  kind?: 'line' | 'bar'
  stacked?: boolean
  /** What a bucket is called in the table's head, such as "Day". */
  bucketTitle: string
}

/** Lines or bars over time, which can also be read as a table. */
export function Chart(props: Props) {
  const { label, buckets, series, format, height = 280 } = props
  const { t } = useTranslation()
  const { dark, lang } = usePrefs()
  const [asTable, setAsTable] = useState(false)
  const palette = chartPalette[dark ? 'dark' : 'light']
  const { axisFormat, kind, stacked } = props
  const option = useMemo(
    () => chartOption({ buckets, series, palette, lang, format, axisFormat, kind, stacked }),
    [buckets, series, palette, lang, format, axisFormat, kind, stacked],
  )
  return (
    <figure className="kp-chart">
      <figcaption className="kp-chart-head">
        <ul className="kp-legend">
          {series.length > 1 &&
            series.map((s, i) => (
              <li key={s.key}>
                <Mark color={palette.series[i % palette.series.length] ?? palette.text} dash={i} bar={(s.kind ?? kind) === 'bar'} />
                {s.name}
              </li>
            ))}
        </ul>
        <Button
          type="text"
          size="small"
          icon={asTable ? <ChartLine size={14} aria-hidden /> : <Table2 size={14} aria-hidden />}
          aria-pressed={asTable}
          onClick={() => setAsTable(!asTable)}
        >
          {asTable ? t('chart.asChart') : t('chart.asTable')}
        </Button>
      </figcaption>
      {asTable ? (
        <ChartTable {...props} height={height} />
      ) : (
        <Suspense fallback={<Loading height={height} />}>
          <ChartCanvas label={label} option={option} height={height} />
        </Suspense>
      )}
    </figure>
  )
}

/** The legend's mark repeats the line's dash, so that colour is not the only signal. */
function Mark({ color, dash, bar }: { color: string; dash: number; bar: boolean }) {
  return (
    <svg width="18" height="10" aria-hidden>
      {bar ? (
        <rect x="3" y="1" width="12" height="8" rx="2" fill={color} />
      ) : (
        <line x1="0" y1="5" x2="18" y2="5" stroke={color} strokeWidth="2.5" strokeDasharray={['', '6 3', '2 3'][dash % 3]} />
      )}
    </svg>
  )
}

function ChartTable({ label, buckets, series, format, height, bucketTitle }: Props & { height: number }) {
  return (
    // Reachable by keyboard because it scrolls.
    <div className="kp-plain-table" style={{ height }} tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            <th scope="col">{bucketTitle}</th>
            {series.map((s) => (
              <th key={s.key} scope="col">
                {s.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {buckets.map((b, i) => (
            <tr key={b}>
              <th scope="row">{b}</th>
              {series.map((s) => (
                <td key={s.key}>{format(s.values[i] ?? 0)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
