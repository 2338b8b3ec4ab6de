import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useChannelOptions } from '@/shared/lib/channels'
import { usePrefs } from '@/shared/lib/prefs'
import type { DayRange, Preset } from '@/shared/lib/range'
import { useMe, useTimezone } from '@/shared/lib/session'
import { formatTime } from '@/shared/lib/time'
import { DateRange } from '@/shared/ui/DateRange'
import { FilterSelect } from '@/shared/ui/FilterBar'
import { Select } from '@/shared/ui/kit'
import { PageHead } from '@/shared/ui/PageHead'
import { dayPart } from '../greeting'

interface Props {
  range: DayRange
  onRange: (next: { preset: Preset } | { first: string; last: string }) => void
  channel: string
  onChannel: (id: string) => void
  /** The currency that money is shown in, and those to choose from. */
  currency: string | undefined
  currencies: string[]
  onCurrency: (code: string) => void
  updatedAt: string | undefined
}

/** The greeting and what the numbers below are about. */
export function HomeHead({ range, onRange, channel, onChannel, currency, currencies, onCurrency, updatedAt }: Props) {
  const { t } = useTranslation('overview')
  const { lang } = usePrefs()
  const me = useMe()
  const zone = useTimezone()
  const channels = useChannelOptions()
  const now = useNow()
  const span = { first: range.first, last: range.last, zone }
  return (
    <PageHead
      title={t('head.title')}
      heading={t(`greeting.${dayPart(now, zone)}`, { name: me.user.name })}
      desc={<span className="kp-num">{updatedAt ? t('head.desc', { ...span, at: formatTime(updatedAt, lang, zone) }) : t('head.period', span)}</span>}
      extra={
        <>
          <FilterSelect
            label={t('filter.channel')}
            value={channel || undefined}
            onChange={(id) => onChannel(id ?? '')}
            options={channels}
            width={124}
          />
          {currencies.length > 1 && (
            <Select
              aria-label={t('filter.currency')}
              value={currency}
              onChange={onCurrency}
              options={currencies.map((c) => ({ value: c, label: c }))}
              style={{ minWidth: 84 }}
            />
          )}
          <DateRange value={range} onChange={onRange} />
        </>
      }
    />
  )
}

/** The time, looked at often enough for a greeting on a page that stays open all day. */
function useNow(): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 5 * 60_000)
    return () => clearInterval(timer)
  }, [])
  return now
}
