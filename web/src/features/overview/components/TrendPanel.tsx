import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Overview } from '@/shared/api/types'
import { formatInt, formatMoney } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useTimezone } from '@/shared/lib/session'
import { formatBucket } from '@/shared/lib/time'
import { Chart } from '@/shared/ui/Chart'
import { Segmented } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { trendFacts, type TrendKey } from '../trend'
import css from './TrendPanel.module.css'

const INTERVALS = ['hour', 'day', 'week', 'month'] as const

/** One figure over time; which one is the reader's choice. */
export function TrendPanel({ trend, currency }: { trend: Overview['trend']; currency: string }) {
  const { t } = useTranslation('overview')
  const { lang } = usePrefs()
  const zone = useTimezone()
  const [picked, setPicked] = useState<TrendKey>('active')
  const series = trend.series.find((s) => s.key === picked) ?? trend.series[0]
  if (!series) return null
  const interval = INTERVALS.find((i) => i === trend.interval) ?? 'day'
  const money = series.key === 'revenue'
  const format = (v: number) => (money ? formatMoney({ amount: v, currency }, lang, { whole: true }) : formatInt(v, lang))
  const name = (bucket: string) => formatBucket(bucket, interval, lang, zone)
  const facts = trendFacts(series.key, series.values, trend.buckets)
  return (
    <Panel
      title={t('trend.title')}
      className={css.panel}
      extra={
        <Segmented<TrendKey>
          size="small"
          aria-label={t('trend.pick')}
          value={series.key}
          onChange={setPicked}
          options={trend.series.map((s) => ({ value: s.key, label: t(`trend.${s.key}`) }))}
        />
      }
    >
      <p className={css.facts}>
        {facts.total !== undefined && <b>{t('trend.total', { value: format(facts.total) })}</b>}
        <span>{t(`trend.average.${interval}`, { value: format(facts.average) })}</span>
        {facts.peak && <span>{t('trend.peak', { value: format(facts.peak.value), bucket: name(facts.peak.bucket) })}</span>}
      </p>
      <Chart
        label={t(`trend.${series.key}`)}
        buckets={trend.buckets.map(name)}
        series={[{ key: series.key, name: t(`trend.${series.key}`), values: series.values }]}
        kind={series.key === 'orders' || money ? 'bar' : 'line'}
        format={format}
        axisFormat={money ? (v) => formatMoney({ amount: v, currency }, lang, { compact: true }) : undefined}
        bucketTitle={t(`trend.bucket.${interval}`)}
        height={306}
      />
    </Panel>
  )
}
