import { useEffect, useState } from 'react'
import type { Money as MoneyValue } from '../api/types'
import { formatInt, formatMoney, hueOf, initials } from '../lib/format'
import { usePrefs } from '../lib/prefs'
import { useTimezone } from '../lib/session'
import { formatAgo, formatDateTime, formatDate } from '../lib/time'
import { Tooltip } from './kit'

/** What stands where there is no value. */
export function None() {
  return <span className="kp-muted">—</span>
}

/** An instant, in the company's time zone. */
export function DateTime({ at, seconds, dateOnly }: { at: string | undefined; seconds?: boolean; dateOnly?: boolean }) {
  const { lang } = usePrefs()
  const zone = useTimezone()
  if (!at) return <None />
  return (
    <time dateTime={at} className="kp-nowrap kp-num">
      {dateOnly ? formatDate(at, lang, zone) : formatDateTime(at, lang, zone, seconds)}
    </time>
  )
}

/** How long ago, with the exact time on hover and focus. Keeps itself current. */
export function TimeAgo({ at }: { at: string | undefined }) {
  const { lang } = usePrefs()
  const zone = useTimezone()
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 30_000)
    return () => clearInterval(timer)
  }, [])
  if (!at) return <None />
  return (
    <Tooltip title={formatDateTime(at, lang, zone, true)}>
      <time dateTime={at} className="kp-nowrap kp-muted">
        {formatAgo(at, lang, Math.max(now, Date.parse(at)))}
      </time>
    </Tooltip>
  )
}

/** An amount, or several in different currencies, one above the other. */
export function Money({ value, whole }: { value: MoneyValue | MoneyValue[] | undefined; whole?: boolean }) {
  const { lang } = usePrefs()
  const list = (Array.isArray(value) ? value : value ? [value] : []).filter((m) => m.amount !== 0 || !Array.isArray(value))
  if (list.length === 0) return <None />
  return (
    <span className="kp-num kp-nowrap">
      {list.map((m) => (
        <span key={m.currency} className="kp-money">
          {formatMoney(m, lang, { whole })}
        </span>
      ))}
    </span>
  )
}

/** A whole number with thousands marks. */
export function Count({ value }: { value: number }) {
  const { lang } = usePrefs()
  return <span className="kp-num">{formatInt(value, lang)}</span>
}

/** A round sign for a person. */
export function NameMark({ name, size = 28 }: { name: string; size?: number }) {
  return (
    <span className={`kp-mark h${hueOf(name)}`} style={{ width: size, height: size, fontSize: size * 0.44 }} aria-hidden>
      {initials(name)}
    </span>
  )
}

/** A person in a list: sign, name and one line below. */
export function Person({ name, sub }: { name: string; sub?: string }) {
  return (
    <span className="kp-person">
      <NameMark name={name} />
      <span>
        <b title={name}>{name}</b>
        {sub && <small>{sub}</small>}
      </span>
    </span>
  )
}
