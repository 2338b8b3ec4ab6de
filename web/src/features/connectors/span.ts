import { useTranslation } from 'react-i18next'

/** Says the stretch of a quota: "a minute", "in 48 hours". */
export function useSpan(): (per: string) => string {
  const { t } = useTranslation('connectors')
  return (per) => {
    switch (per) {
      case 'minute':
        return t('per.minute')
      case 'hour':
        return t('per.hour')
      case 'day':
        return t('per.day')
      case 'week':
        return t('per.week')
      case 'month':
        return t('per.month')
    }
    const count = Number.parseInt(per, 10)
    switch (per.at(-1)) {
      case 's':
        return t('per.seconds', { count })
      case 'm':
        return t('per.minutes', { count })
      case 'h':
        return t('per.hours', { count })
      case 'd':
        return t('per.days', { count })
    }
    return per
  }
}
