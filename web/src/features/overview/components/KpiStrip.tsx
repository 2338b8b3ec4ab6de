import { ChevronRight } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { OverviewKpi } from '@/shared/api/types'
import { formatCompact, formatInt, formatMoney, formatPercent } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { Skeleton, Tooltip } from '@/shared/ui/kit'
import { Change, Sparkline } from '@/shared/ui/Kpi'
import { deltaOf } from '../delta'
import { peopleLink, type Scope } from '../links'
import css from './KpiStrip.module.css'

/** From here on a number is shortened to fit; the tooltip has every digit. */
const SHORTEN_FROM = 10_000_000

/** The figures that say how the pond is, each opening the people behind it. */
export function KpiStrip({ kpis, scope }: { kpis: OverviewKpi[]; scope: Scope }) {
  const { t } = useTranslation('overview')
  return (
    <section className={`kp-panel ${css.strip}`} aria-label={t('kpi.label')}>
      {kpis.map((k) => (
        <Cell key={k.key} kpi={k} scope={scope} />
      ))}
    </section>
  )
}

/** Writes a figure short and in full. */
function useFigure(currency: string) {
  const { lang } = usePrefs()
  return ({ unit, key }: OverviewKpi, value: number): { short: string; full: string } => {
    if (unit === 'ratio') {
      const text = formatPercent(value, lang)
      return { short: text, full: text }
    }
    if (unit === 'money') {
      const money = { amount: value, currency }
      const full = formatMoney(money, lang)
      if (key === 'averageOrder') return { short: full, full }
      return { short: formatMoney(money, lang, Math.abs(value) / 100 >= SHORTEN_FROM ? { compact: true } : { whole: true }), full }
    }
    const full = formatInt(value, lang)
    return { short: Math.abs(value) >= SHORTEN_FROM ? formatCompact(value, lang) : full, full }
  }
}

function Cell({ kpi, scope }: { kpi: OverviewKpi; scope: Scope }) {
  const { t } = useTranslation(['overview', 'common'])
  const figure = useFigure(scope.currency)
  const { short, full } = figure(kpi, kpi.value)
  const label = t(`kpi.${kpi.key}`)
  const body = (
    <>
      <span className={css.label}>
        {label}
        {kpi.people && <ChevronRight size={14} aria-hidden />}
      </span>
      <span className={css.value} title={full === short ? undefined : full}>
        {short}
      </span>
      <span className={css.change}>
        <Moved kpi={kpi} previous={kpi.previous === undefined ? undefined : figure(kpi, kpi.previous).full} />
      </span>
      <span className={css.spark}>{kpi.spark.length > 1 && <Sparkline values={kpi.spark} wide />}</span>
    </>
  )
  const hint = (
    <>
      {t(`kpi.${kpi.key}Hint`)}
      {kpi.previous !== undefined && (
        <>
          <br />
          {t('kpi.previous', { value: figure(kpi, kpi.previous).full })}
        </>
      )}
    </>
  )
  return (
    <Tooltip title={hint} placement="bottom" mouseEnterDelay={0.4}>
      {kpi.people ? (
        <Link className={css.cell} to={peopleLink(kpi.people, scope)} aria-label={t('common:kpi.open', { label, value: full })}>
          {body}
        </Link>
      ) : (
        <div className={css.cell}>{body}</div>
      )}
    </Tooltip>
  )
}

/** The change against the period before, in the unit that fits the figure. */
function Moved({ kpi, previous }: { kpi: OverviewKpi; previous: string | undefined }) {
  const { t } = useTranslation('overview')
  const { lang } = usePrefs()
  const delta = deltaOf(kpi)
  if (delta.kind === 'none' || previous === undefined) return null
  if (delta.kind === 'fresh') return <Change value={1} text={t('kpi.fresh')} />
  if (delta.kind === 'share') return <Change value={delta.value} />
  const points = new Intl.NumberFormat(lang, { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(Math.abs(delta.value) * 100)
  return <Change value={delta.value} text={t('kpi.points', { value: points })} />
}

/** The strip while its figures are on the way. */
export function KpiStripSkeleton() {
  return (
    <div className={`kp-panel ${css.strip}`} aria-hidden>
      {Array.from({ length: 7 }, (_, i) => (
        <div key={i} className={css.cell} style={{ height: 144, boxSizing: 'border-box' }}>
          <Skeleton active title={{ width: '55%' }} paragraph={{ rows: 2, width: ['85%', '45%'] }} />
        </div>
      ))}
    </div>
  )
}
