import { ArrowDownRight, ArrowUpRight, ChevronRight, Minus } from 'lucide-react'
import { useId } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { formatPercent } from '../lib/format'
import { usePrefs } from '../lib/prefs'
import { Tooltip } from './kit'
import { chartPalette } from './theme'

interface Props {
  label: string
  /** The number in words, formatted by the page. */
  value: string
  /** Every digit of a shortened value. */
  exact?: string
  /** Share of change against the period before; undefined when there is nothing to compare. */
  change?: number
  /** What falling means: for churn or what a customer costs, down is good. */
  downIsGood?: boolean
  /** Neither is good by itself: what is spent may rise because it pays. */
  neutral?: boolean
  spark?: number[]
  /** Opens the people or things behind the number. */
  to?: string
  hint?: string
}

/** One number of the overview, with its trend, that opens what it counts. */
export function Kpi({ label, value, exact, change, downIsGood, neutral, spark, to, hint }: Props) {
  const { t } = useTranslation()
  const body = (
    <>
      <div className="kp-kpi-label">
        {hint ? <Tooltip title={hint}><span className="kp-hinted">{label}</span></Tooltip> : label}
        {to && <ChevronRight size={14} aria-hidden />}
      </div>
      <div className="kp-kpi-value" title={exact}>{value}</div>
      <div className="kp-kpi-foot">
        {change !== undefined && <Change value={change} downIsGood={downIsGood} neutral={neutral} />}
        {change !== undefined && <span>{t('kpi.previous')}</span>}
        <span className="kp-grow" />
        {spark && spark.length > 1 && <Sparkline values={spark} />}
      </div>
    </>
  )
  if (!to) return <div className="kp-panel kp-kpi">{body}</div>
  return (
    <Link className="kp-panel kp-kpi" to={to} aria-label={t('kpi.open', { label, value })}>
      {body}
    </Link>
  )
}

/** How a number moved: an arrow, a sign and a colour, in that order of importance. `text` replaces the percentage for what moves in other units. */
export function Change({ value, downIsGood, neutral, text }: { value: number; downIsGood?: boolean; neutral?: boolean; text?: string }) {
  const { lang } = usePrefs()
  const flat = Math.abs(value) < 0.0005
  const good = downIsGood ? value < 0 : value > 0
  const Arrow = flat ? Minus : value > 0 ? ArrowUpRight : ArrowDownRight
  const sign = flat ? '' : value > 0 ? '+' : '−'
  return (
    <span className={`kp-change ${flat || neutral ? 'flat' : good ? 'good' : 'bad'}`}>
      <Arrow size={13} aria-hidden />
      {sign}
      {text ?? formatPercent(Math.abs(value), lang)}
    </span>
  )
}

const W = 92
const H = 36

/** A tiny line without axes; the number beside it says the rest. `wide` fills the width of its box. */
export function Sparkline({ values, wide }: { values: number[]; wide?: boolean }) {
  const { dark } = usePrefs()
  const id = useId()
  const color = chartPalette[dark ? 'dark' : 'light'].series[0]
  const low = Math.min(...values)
  const high = Math.max(...values)
  const x = (i: number) => (i / (values.length - 1)) * W
  const y = (v: number) => H - 3 - ((v - low) / (high - low || 1)) * (H - 8)
  const line = values.map((v, i) => `${i ? 'L' : 'M'}${x(i).toFixed(1)} ${y(v).toFixed(1)}`).join('')
  return (
    <svg width={wide ? '100%' : W} height={H} viewBox={`0 0 ${W} ${H}`} preserveAspectRatio={wide ? 'none' : undefined} aria-hidden>
      <defs>
        <linearGradient id={id} x1="0" y1="0" x2="0" y2="1">
          <stop offset="0" stopColor={color} stopOpacity=".22" />
          <stop offset="1" stopColor={color} stopOpacity="0" />
        </linearGradient>
      </defs>
      <path d={`${line}L${W} ${H}L0 ${H}Z`} fill={`url(#${id})`} />
      <path d={line} fill="none" stroke={color} strokeWidth="1.7" strokeLinejoin="round" strokeLinecap="round" vectorEffect="non-scaling-stroke" />
    </svg>
  )
}
