import { useQuery } from '@tanstack/react-query'
import { Download } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import type { LiveCodeFigures, LiveCodeLine, LiveCodeStats } from '@/shared/api/types'
import { formatInt, formatPercent } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useUrlRange } from '@/shared/lib/url'
import { Chart } from '@/shared/ui/Chart'
import { DateRange } from '@/shared/ui/DateRange'
import { Button } from '@/shared/ui/kit'
import { Kpi } from '@/shared/ui/Kpi'
import { Empty, QueryState } from '@/shared/ui/states'
import { statsQuery } from '../queries'
import css from './livecodes.module.css'

/** Who came and who stayed: in figures, by day, by colleague and by hour. */
export function Statistics({ id }: { id: string }) {
  const { t } = useTranslation('livecodes')
  const [range, setRange] = useUrlRange('30d')
  const query = useQuery(statsQuery(id, range.first, range.last))
  return (
    <div className="kp-stack">
      <div className="kp-row wrap">
        <DateRange value={range} onChange={setRange} />
        <span className="kp-grow" />
        <Button size="small" icon={<Download size={14} aria-hidden />} href={`/api/live-codes/${encodeURIComponent(id)}/stats.csv?from=${range.first}&to=${range.last}`}>
          {t('stats.export')}
        </Button>
      </div>
      <QueryState query={query} height={360}>
        {(s) => <Figures stats={s} />}
      </QueryState>
    </div>
  )
}

function Figures({ stats }: { stats: LiveCodeStats }) {
  const { t } = useTranslation('livecodes')
  const { lang } = usePrefs()
  const { total, before } = stats
  const n = (v: number) => formatInt(v, lang)
  const days = stats.days
  if (total.adds === 0 && before.adds === 0 && total.left === 0) return <Empty title={t('stats.none')} desc={t('stats.noneDesc')} />
  return (
    <div className="kp-stack">
      <div className={css.kpis}>
        <Kpi label={t('stats.adds')} hint={t('stats.addsHint')} value={n(total.adds)} change={change(total, before)} spark={days.map((d) => d.adds)} />
        <Kpi label={t('stats.people')} value={n(total.people)} hint={t('stats.again', { count: total.again })} />
        <Kpi label={t('stats.left')} hint={t('stats.leftHint', { them: n(total.byThem), us: n(total.byUs) })} value={n(total.left)} downIsGood />
        {(['kept1', 'kept7', 'kept30'] as const).map((k) => (
          <Kpi key={k} label={t(`stats.${k}`)} hint={t('stats.keptHint', { kept: n(total[k].kept), of: n(total[k].of) })} value={total[k].of > 0 ? formatPercent(total[k].kept / total[k].of, lang) : '—'} />
        ))}
        <Kpi label={t('stats.welcomed')} hint={t('stats.welcomedHint', { count: total.notWelcomed })} value={total.welcomed + total.notWelcomed > 0 ? n(total.welcomed) : '—'} />
      </div>
      <Chart
        label={t('stats.byDay')}
        bucketTitle={t('stats.day')}
        buckets={days.map((d) => d.key.slice(5))}
        series={[
          { key: 'adds', name: t('stats.adds'), values: days.map((d) => d.adds), kind: 'bar' },
          { key: 'left', name: t('stats.left'), values: days.map((d) => d.left) },
        ]}
        format={n}
        kind="line"
        height={230}
      />
      <div className="kp-grid cols-2">
        <Bars title={t('stats.byStaff')} lines={stats.staff} />
        <div>
          <h3>{t('stats.byHour')}</h3>
          <Chart label={t('stats.byHour')} bucketTitle={t('stats.hour')} buckets={stats.hours.map((h) => h.key)} series={[{ key: 'adds', name: t('stats.adds'), values: stats.hours.map((h) => h.adds) }]} format={n} kind="bar" height={180} />
        </div>
      </div>
    </div>
  )
}

/** Share of change in adds against the days before; nothing to say where there were none. */
function change(now: LiveCodeFigures, before: LiveCodeFigures): number | undefined {
  return before.adds > 0 ? (now.adds - before.adds) / before.adds : undefined
}

function Bars({ title, lines }: { title: string; lines: readonly LiveCodeLine[] }) {
  const { t } = useTranslation('livecodes')
  const { lang } = usePrefs()
  const most = Math.max(1, ...lines.map((l) => l.adds))
  return (
    <div>
      <h3>{title}</h3>
      {lines.length === 0 && <p className="kp-muted">{t('stats.none')}</p>}
      <ul className={css.bars}>
        {lines.map((l) => (
          <li key={l.key}>
            <span className="kp-clip">{l.name || l.key}</span>
            <i style={{ width: `${(l.adds / most) * 100}%` }} aria-hidden />
            <span className="kp-num">
              <b>{formatInt(l.adds, lang)}</b> <small className="kp-muted">{t('stats.leftOf', { count: l.left })}</small>
            </span>
          </li>
        ))}
      </ul>
    </div>
  )
}
