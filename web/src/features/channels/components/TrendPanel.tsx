import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { ChannelTrend } from '@/shared/api/types'
import { formatInt, formatMoney } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useTimezone } from '@/shared/lib/session'
import { formatBucket } from '@/shared/lib/time'
import { Chart } from '@/shared/ui/Chart'
import { Button, Segmented } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { QueryState } from '@/shared/ui/states'
import { trendQuery, type ReportScope } from '../queries'

type View = 'people' | 'money'

interface Props {
  scope: ReportScope
  /** The channel picked; none: all of them. */
  name?: string
  onAll?: () => void
}

/** People, or money against cost, over time. */
export function TrendPanel({ scope, name, onAll }: Props) {
  const { t } = useTranslation('channels')
  const [view, setView] = useState<View>('people')
  const query = useQuery(trendQuery(scope))
  return (
    <Panel
      title={name ? t('trend.of', { name }) : t('trend.all')}
      extra={
        <>
          {onAll && (
            <Button type="link" size="small" onClick={onAll}>
              {t('trend.showAll')}
            </Button>
          )}
          <Segmented<View> size="small" aria-label={t('trend.pick')} value={view} onChange={setView} options={(['people', 'money'] as const).map((v) => ({ value: v, label: t(`trend.${v}`) }))} />
        </>
      }
    >
      <QueryState query={query} height={280}>
        {(trend) => <Lines trend={trend} view={view} currency={scope.currency ?? 'CNY'} />}
      </QueryState>
    </Panel>
  )
}

function Lines({ trend, view, currency }: { trend: ChannelTrend; view: View; currency: string }) {
  const { t } = useTranslation('channels')
  const { lang } = usePrefs()
  const zone = useTimezone()
  const money = view === 'money'
  const keys: string[] = money ? ['revenue', 'cost'] : ['visitors', 'new']
  return (
    <Chart
      label={t(`trend.${view}`)}
      buckets={trend.buckets.map((b) => formatBucket(b, trend.interval, lang, zone))}
      series={trend.series.filter((s) => keys.includes(s.key)).map((s) => ({ key: s.key, name: t(`figure.${s.key === 'orders' ? 'buyers' : s.key}`), values: s.values }))}
      format={(v) => (money ? formatMoney({ amount: v, currency }, lang, { whole: true }) : formatInt(v, lang))}
      axisFormat={money ? (v) => formatMoney({ amount: v, currency }, lang, { compact: true }) : undefined}
      bucketTitle={t('trend.bucket')}
    />
  )
}
