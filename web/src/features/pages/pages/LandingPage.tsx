import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Copy, Download, ExternalLink, Pencil } from 'lucide-react'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useNavigate, useParams } from 'react-router'
import type { LandingPage as Landing, LandingStats } from '@/shared/api/types'
import { formatInt, formatPercent } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { formatDay } from '@/shared/lib/time'
import { useUrlRange } from '@/shared/lib/url'
import { Chart } from '@/shared/ui/Chart'
import { copyToClipboard } from '@/shared/ui/copy'
import { DateRange } from '@/shared/ui/DateRange'
import { useToast } from '@/shared/ui/feedback'
import { Grid } from '@/shared/ui/Grid'
import { Button } from '@/shared/ui/kit'
import { Kpi } from '@/shared/ui/Kpi'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { QueryState } from '@/shared/ui/states'
import css from '../components/pages.module.css'
import { pageQR, pageQuery, PAGES_KEY, pageStatsQuery, peopleOf, publishPage, stopPage } from '../queries'

/** One landing page: where it is, and what came of it. */
export default function LandingPage() {
  const { id = '' } = useParams()
  const query = useQuery(pageQuery(id))
  return <QueryState query={query}>{(p) => <Shown page={p} />}</QueryState>
}

function Shown({ page }: { page: Landing }) {
  const { t } = useTranslation('pages')
  const go = useNavigate()
  const client = useQueryClient()
  const toast = useToast()
  const mayEdit = useCan('acquire.write')
  const [range, setRange] = useUrlRange('30d')
  const [busy, setBusy] = useState(false)
  const stats = useQuery(pageStatsQuery(page.id, range.from, range.to))
  const address = page.url ?? window.location.origin + page.path
  const change = async (what: (id: string) => Promise<unknown>, done: string) => {
    setBusy(true)
    try {
      await what(page.id)
      await client.invalidateQueries({ queryKey: PAGES_KEY })
      toast.done(done)
    } catch (error) {
      toast.failed(error)
    } finally {
      setBusy(false)
    }
  }
  const copy = async () => {
    if (await copyToClipboard(address)) toast.done(t('page.copied'))
  }
  return (
    <Page>
      <PageHead
        title={page.title}
        back={{ to: '/landing-pages', label: t('title') }}
        desc={t(`page.is.${page.state}`)}
        extra={
          mayEdit && (
            <>
              {page.state === 'live' && (
                <Button loading={busy} onClick={() => void change(stopPage, t('page.stopped'))}>
                  {t('page.stop')}
                </Button>
              )}
              {(page.state !== 'live' || page.changed) && (
                <Button loading={busy} onClick={() => void change(publishPage, t('page.published'))}>
                  {page.state === 'live' ? t('page.publishChanges') : t('page.publish')}
                </Button>
              )}
              <Button type="primary" icon={<Pencil size={15} aria-hidden />} onClick={() => void go(`/landing-pages/${page.id}/edit`)}>
                {t('page.edit')}
              </Button>
            </>
          )
        }
      />
      <div className="kp-stack">
        <Panel>
          <div className={css.head}>
            <img className={css.qr} src={pageQR(page.id, 'svg', 240)} width={120} height={120} alt={t('page.qr', { title: page.title })} />
            <div className={css.about}>
              <div className={css.address}>
                <code>{address}</code>
                <Button size="small" icon={<Copy size={14} aria-hidden />} onClick={() => void copy()}>
                  {t('page.copy')}
                </Button>
                {page.state === 'live' && (
                  <Button size="small" icon={<ExternalLink size={14} aria-hidden />} href={page.path} target="_blank" rel="noreferrer">
                    {t('page.open')}
                  </Button>
                )}
              </div>
              <div className="kp-row">
                {(['png', 'svg'] as const).map((f) => (
                  <Button key={f} size="small" icon={<Download size={14} aria-hidden />} href={pageQR(page.id, f, 1200)} download={`page-${page.slug}.${f}`}>
                    {t(`page.${f}`)}
                  </Button>
                ))}
              </div>
            </div>
          </div>
        </Panel>
        <DateRange value={range} onChange={setRange} />
        <QueryState query={stats} height={360}>
          {(s) => <Books id={page.id} stats={s} from={range.from} to={range.to} last={range.last} />}
        </QueryState>
      </div>
    </Page>
  )
}

function Books({ id, stats, from, to, last }: { id: string; stats: LandingStats; from: string; to: string; last: string }) {
  const { t } = useTranslation('pages')
  const { lang } = usePrefs()
  const days = useMemo(() => stats.days.map((d) => formatDay(d.key, lang, last.slice(0, 4))), [stats.days, lang, last])
  const number = (n: number) => formatInt(n, lang)
  const rate = (n: number | undefined) => (n === undefined ? t('none') : formatPercent(n, lang, 1))
  const noise = stats.noise.reduce((n, x) => n + x.n, 0)
  return (
    <div className="kp-stack">
      <div className={css.kpis}>
        <Kpi label={t('figure.views')} value={number(stats.total.views)} />
        <Kpi label={t('figure.visitors')} value={number(stats.total.visitors)} to={stats.total.visitors > 0 ? peopleOf(id, 'viewed', from, to) : undefined} />
        <Kpi label={t('figure.people')} value={number(stats.total.people)} to={stats.total.people > 0 ? peopleOf(id, 'submitted', from, to) : undefined} />
        <Kpi label={t('figure.rate')} hint={t('figure.rateHint')} value={rate(stats.total.rate)} />
        <Kpi label={t('figure.seconds')} hint={t('figure.secondsHint', { told: number(stats.told) })} value={stats.told > 0 ? t('figure.secondsOf', { n: number(stats.seconds) }) : t('none')} />
      </div>
      <Panel title={t('stats.days')}>
        <Chart
          label={t('stats.days')}
          buckets={days}
          series={[
            { key: 'visitors', name: t('figure.visitors'), values: stats.days.map((d) => d.visitors) },
            { key: 'people', name: t('figure.people'), values: stats.days.map((d) => d.people) },
          ]}
          format={number}
          bucketTitle={t('stats.day')}
          height={220}
        />
      </Panel>
      <Panel title={t('stats.channels')} desc={t('stats.channelsDesc')} flush>
        <Grid
          label={t('stats.channels')}
          rows={stats.channels}
          rowKey={(l) => l.key}
          columns={[
            { key: 'channel', title: t('list.channel'), fixed: true, render: (l) => l.name },
            { key: 'views', title: t('figure.views'), align: 'right', render: (l) => number(l.views) },
            { key: 'visitors', title: t('figure.visitors'), align: 'right', render: (l) => (l.visitors > 0 ? <Link to={peopleOf(id, 'viewed', from, to, l.key)}>{number(l.visitors)}</Link> : number(0)) },
            { key: 'people', title: t('figure.people'), align: 'right', render: (l) => (l.people > 0 ? <Link to={peopleOf(id, 'submitted', from, to, l.key)}>{number(l.people)}</Link> : number(0)) },
            { key: 'rate', title: t('figure.rate'), align: 'right', render: (l) => rate(l.rate) },
          ]}
        />
        {stats.channels.length === 0 && <p className={css.note}>{t('stats.nobody')}</p>}
      </Panel>
      {noise > 0 && (
        <p className="kp-muted">
          {t('stats.noise', { n: number(noise) })} {stats.noise.map((x) => `${t(`noise.${x.why}`)} ${number(x.n)}`).join(' · ')}
        </p>
      )}
    </div>
  )
}
