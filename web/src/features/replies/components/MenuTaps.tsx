import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { ApiError } from '@/shared/api/errors'
import type { MenuFigures, MenuStats } from '@/shared/api/types'
import { formatInt, formatPercent } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { useUrlRange } from '@/shared/lib/url'
import { DateRange } from '@/shared/ui/DateRange'
import { Grid } from '@/shared/ui/Grid'
import { Panel } from '@/shared/ui/Panel'
import { Spark } from '@/shared/ui/Spark'
import { QueryState } from '@/shared/ui/states'
import { tapsQuery } from '../queries'
import { whoIn } from '../rule'
import css from './replies.module.css'

/** How often each button of the published menu was tapped, by how many, and those that are no longer there. */
export function MenuTaps({ account }: { account: string }) {
  const { t } = useTranslation('replies')
  const [range, setRange] = useUrlRange('30d')
  const query = useQuery(tapsQuery(account, range.first, range.last))
  const denied = query.error instanceof ApiError && query.error.status === 403
  return (
    <Panel title={t('taps.title')} desc={t('taps.desc')} className={css.taps}>
      {denied ? (
        <p className="kp-muted">{t('taps.scoped')}</p>
      ) : (
        <div className="kp-stack">
          <div className="kp-row wrap">
            <DateRange value={range} onChange={setRange} />
          </div>
          <QueryState query={query} height={220}>{(s) => <Figures account={account} stats={s} />}</QueryState>
        </div>
      )}
    </Panel>
  )
}

function Figures({ account, stats }: { account: string; stats: MenuStats }) {
  const { t } = useTranslation('replies')
  const { lang } = usePrefs()
  const n = (v: number) => formatInt(v, lang)
  const own = { property: 'account', value: account }
  if (stats.clicks === 0 && stats.buttons.length === 0) return <p className="kp-muted">{t('taps.none')}</p>
  return (
    <div className="kp-stack">
      <p className={css.figures}>
        <b>{t('taps.clicks', { value: n(stats.clicks) })}</b>
        <Who value={t('taps.people', { value: n(stats.people) })} to={stats.people > 0 ? whoIn('menu.clicked', [own], stats.from, stats.to) : undefined} />
      </p>
      {stats.buttons.length > 0 && <Buttons label={t('taps.title')} rows={stats.buttons} all={stats.clicks} account={account} from={stats.from} to={stats.to} />}
      {stats.former.length > 0 && (
        <details className={css.former}>
          <summary>
            {t('taps.former')}
            <span className="kp-muted">{t('taps.formerSum', { clicks: n(stats.formerAll.clicks), people: n(stats.formerAll.people) })}</span>
          </summary>
          <Buttons label={t('taps.former')} rows={stats.former} all={stats.clicks} account={account} from={stats.from} to={stats.to} />
        </details>
      )}
    </div>
  )
}

/** People as a number, and as a way to them for those who may see them. */
function Who({ value, to }: { value: string; to: string | undefined }) {
  const may = useCan('contact.read')
  return may && to ? <Link to={to}>{value}</Link> : <span>{value}</span>
}

function Buttons({ label, rows, all, account, from, to }: { label: string; rows: readonly MenuFigures[]; all: number; account: string; from: string; to: string }) {
  const { t } = useTranslation('replies')
  const { lang } = usePrefs()
  const n = (v: number) => formatInt(v, lang)
  return (
    <Grid
      label={label}
      rows={[...rows]}
      rowKey={(b) => `${b.property} ${b.value}`}
      columns={[
        {
          key: 'button',
          title: t('taps.button'),
          render: (b) => (
            <span className={css.name}>
              <b>{b.above ? t('taps.under', { above: b.above, name: b.name ?? '' }) : b.name || t('taps.unknown')}</b>
              <small className="kp-muted kp-clip">{b.name && b.kind === 'reply' ? t('menu.kind.reply') : b.value}</small>
            </span>
          ),
        },
        { key: 'trend', title: t('taps.trend'), width: 110, render: (b) => <Spark className={css.trend} width={90} values={b.days} label={t('taps.trendOf', { name: b.name || b.value })} /> },
        { key: 'clicks', title: t('taps.times'), align: 'right', width: 90, render: (b) => n(b.clicks) },
        { key: 'share', title: t('taps.share'), align: 'right', width: 80, render: (b) => (all > 0 ? formatPercent(b.clicks / all, lang) : '—') },
        { key: 'people', title: t('taps.persons'), align: 'right', width: 90, render: (b) => <Who value={n(b.people)} to={b.people > 0 ? whoIn('menu.clicked', [{ property: 'account', value: account }, { property: b.property, value: b.value }], from, to) : undefined} /> },
      ]}
    />
  )
}
