import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Info } from 'lucide-react'
import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import type { Overview } from '@/shared/api/types'
import { useMe } from '@/shared/lib/session'
import { useUrlRange, useUrlText } from '@/shared/lib/url'
import { Page } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { ErrorState, Loading } from '@/shared/ui/states'
import { AdvicePanel } from '../components/AdvicePanel'
import { ChannelsPanel } from '../components/ChannelsPanel'
import { EventsPanel } from '../components/EventsPanel'
import { FirstSteps } from '../components/FirstSteps'
import { HomeHead } from '../components/HomeHead'
import { KpiStrip, KpiStripSkeleton } from '../components/KpiStrip'
import { TrendPanel } from '../components/TrendPanel'
import { overviewQuery } from '../queries'
import css from './HomePage.module.css'

const figure = (o: Overview, key: Overview['kpis'][number]['key']) => o.kpis.find((k) => k.key === key)?.value ?? 0

/** Nobody in the pond and nothing happened: the pond has not begun. */
function isUntouched(o: Overview): boolean {
  return figure(o, 'size') === 0 && figure(o, 'orders') === 0 && o.events.length === 0
}

/** How is my pond today, and what should I do next? */
export default function HomePage() {
  const [range, setRange] = useUrlRange('30d')
  const [channel, setChannel] = useUrlText('channel')
  const [currency, setCurrency] = useUrlText('currency')
  const filling = useMe().demo?.state === 'filling'
  const query = useQuery(overviewQuery({ from: range.from, to: range.to, channel: channel || undefined, currency: currency || undefined }, filling))
  useLastLook(filling)
  const o = query.data
  return (
    <Page>
      <HomeHead
        range={range}
        onRange={setRange}
        channel={channel}
        onChannel={setChannel}
        currency={o?.currency}
        currencies={o?.currencies ?? []}
        onCurrency={setCurrency}
        updatedAt={o?.updatedAt}
      />
      {o ? (
        !channel && !filling && isUntouched(o) ? (
          <FirstSteps />
        ) : (
          <Numbers overview={o} channel={channel || undefined} stale={query.isPlaceholderData} filling={filling} />
        )
      ) : query.error ? (
        <Panel>
          <ErrorState error={query.error} onRetry={() => void query.refetch()} />
        </Panel>
      ) : (
        <HomeSkeleton />
      )}
    </Page>
  )
}

/** Fetches once more when the demo has filled: the last figures came after the last poll. */
function useLastLook(filling: boolean) {
  const client = useQueryClient()
  const was = useRef(filling)
  useEffect(() => {
    if (was.current && !filling) void client.invalidateQueries({ queryKey: ['overview'] })
    was.current = filling
  }, [filling, client])
}

function Numbers({ overview: o, channel, stale, filling }: { overview: Overview; channel: string | undefined; stale: boolean; filling: boolean }) {
  const { t } = useTranslation('overview')
  // The answer's own instants: what opens behind a number is counted exactly like the number.
  const scope = { from: o.from, to: o.to, channel, currency: o.currency }
  const quiet = !filling && figure(o, 'active') === 0 && figure(o, 'orders') === 0
  return (
    <div className={stale ? `kp-stack ${css.stale}` : 'kp-stack'} aria-busy={stale}>
      <KpiStrip kpis={o.kpis} scope={scope} />
      {quiet && (
        <p className={css.note} role="status">
          <Info size={15} aria-hidden />
          {t('quiet')}
        </p>
      )}
      <div className={`kp-grid main-side ${css.even}`}>
        <TrendPanel trend={o.trend} currency={o.currency} />
        <AdvicePanel advice={o.advice} scope={scope} />
      </div>
      <div className={`kp-grid ${css.quality}`}>
        <ChannelsPanel channels={o.channels} kpis={o.kpis} scope={scope} />
        <EventsPanel events={o.events} scope={scope} />
      </div>
    </div>
  )
}

/** The page while its numbers are on the way, in the shape it will have. */
function HomeSkeleton() {
  const { t } = useTranslation('overview')
  return (
    <div className="kp-stack">
      <KpiStripSkeleton />
      <div className="kp-grid main-side">
        <Panel title={t('trend.title')}>
          <Loading height={292} />
        </Panel>
        <Panel title={t('advicePanel.title')}>
          <Loading height={292} />
        </Panel>
      </div>
      <div className="kp-grid main-side">
        <Panel title={t('channels.title')}>
          <Loading height={320} />
        </Panel>
        <Panel title={t('events.title')}>
          <Loading height={320} />
        </Panel>
      </div>
    </div>
  )
}
