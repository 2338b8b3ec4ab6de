import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { SegmentGrowth } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { Chart } from '@/shared/ui/Chart'
import { Segmented } from '@/shared/ui/kit'
import { Change, Sparkline } from '@/shared/ui/Kpi'
import { Panel } from '@/shared/ui/Panel'
import { QueryState } from '@/shared/ui/states'
import { None } from '@/shared/ui/values'
import { growthQuery } from '../queries'
import css from './segments.module.css'

const SPANS = [30, 90, 365] as const
const LOOKS = ['size', 'moves'] as const
/** Of fewer days than this a line says nothing. */
const LINE_FROM = 3

/** How a segment grew: its size, or who came and left, day by day. */
export function Growth({ id }: { id: string }) {
  const { t } = useTranslation('segments')
  const [days, setDays] = useState<(typeof SPANS)[number]>(30)
  const [look, setLook] = useState<(typeof LOOKS)[number]>('size')
  const query = useQuery(growthQuery(id, days))
  const drawn = query.data === undefined || (!query.data.hidden && query.data.days.length >= LINE_FROM)
  return (
    <Panel
      title={t('growth.title')}
      extra={
        drawn && (
          <>
            <Segmented size="small" aria-label={t('growth.look')} value={look} onChange={setLook} options={LOOKS.map((l) => ({ value: l, label: t(`growth.${l}`) }))} />
            <Segmented size="small" aria-label={t('growth.span')} value={days} onChange={setDays} options={SPANS.map((d) => ({ value: d, label: t('growth.days', { count: d }) }))} />
          </>
        )
      }
    >
      <QueryState query={query} height={280}>
        {(g) => (g.hidden ? <p className="kp-muted">{t('growth.hidden')}</p> : !drawn ? <FirstDays growth={g} /> : <Lines growth={g} look={look} since={g.days.length < days ? g.days[0]?.day : undefined} />)}
      </QueryState>
    </Panel>
  )
}

/** The size and what moved on each of the first days, while there is no line to draw. */
function FirstDays({ growth }: { growth: SegmentGrowth }) {
  const { t } = useTranslation('segments')
  const { lang } = usePrefs()
  return (
    <div className={css.first}>
      <p className="kp-muted">{t('growth.first', { day: growth.days[0]?.day ?? '' })}</p>
      <dl>
        {growth.days.map((d, i) => (
          <div key={d.day}>
            <dt>{i === growth.days.length - 1 ? t('growth.today') : d.day}</dt>
            <dd>
              <b className="kp-num">{formatInt(d.size, lang)}</b>
              <span className="kp-muted kp-num">
                {t('growth.entered')} {formatInt(d.entered, lang)} · {t('growth.left')} {formatInt(d.left, lang)}
              </span>
            </dd>
          </div>
        ))}
      </dl>
    </div>
  )
}

function Lines({ growth, look, since }: { growth: SegmentGrowth; look: (typeof LOOKS)[number]; since: string | undefined }) {
  const { t } = useTranslation('segments')
  const { lang } = usePrefs()
  const buckets = useMemo(() => growth.days.map((d) => d.day.slice(5)), [growth])
  const series = useMemo(
    () =>
      look === 'size'
        ? [{ key: 'size', name: t('growth.size'), values: growth.days.map((d) => d.size) }]
        : [
            { key: 'entered', name: t('growth.entered'), values: growth.days.map((d) => d.entered) },
            { key: 'left', name: t('growth.left'), values: growth.days.map((d) => d.left) },
          ],
    [growth, look, t],
  )
  return (
    <>
      <p className={css.moves}>
        <span>
          {t('growth.entered')} <b className="kp-num">{formatInt(growth.entered, lang)}</b>
        </span>
        <span>
          {t('growth.left')} <b className="kp-num">{formatInt(growth.left, lang)}</b>
        </span>
        {since && <span className="kp-muted">{t('growth.since', { day: since })}</span>}
        {growth.marks.map((m) => (
          <span key={m.version} className="kp-muted">
            {t('growth.mark', { day: m.day, version: m.version, by: m.by })}
          </span>
        ))}
      </p>
      <Chart label={t('growth.title')} bucketTitle={t('growth.day')} buckets={buckets} series={series} kind={look === 'size' ? 'line' : 'bar'} format={(n) => formatInt(n, lang)} height={240} />
    </>
  )
}

/** What changed in a week: by how many, and the line of its days. */
export function WeekTrend({ id }: { id: string }) {
  const { lang } = usePrefs()
  const { data } = useQuery(growthQuery(id, 8))
  if (!data) return <span className="kp-bone" style={{ width: 120 }} />
  const sizes = data.days.map((d) => d.size)
  const [first, last] = [sizes[0], sizes.at(-1)]
  // What is one day old has not changed yet.
  if (data.hidden || sizes.length < 2 || first === undefined || last === undefined) return <None />
  return (
    <span className={css.trend}>
      <Change value={last - first} text={formatInt(Math.abs(last - first), lang)} />
      <Sparkline values={sizes} />
    </span>
  )
}
