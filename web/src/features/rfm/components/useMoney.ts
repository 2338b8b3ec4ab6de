import { useCallback } from 'react'
import type { Rfm } from '@/shared/api/types'
import { formatInt, formatMoney } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'

/** Writes sums of a model: as money where it sums orders of one currency, else as numbers. */
export function useMoney(data: Pick<Rfm, 'minor' | 'model'>, compact?: boolean): (sum: number) => string {
  const { lang } = usePrefs()
  const { minor } = data
  const currency = data.model.currency
  return useCallback(
    (sum) => (minor && currency ? formatMoney({ amount: Math.round(sum), currency }, lang, { compact, whole: !compact }) : formatInt(Math.round(minor ? sum / 100 : sum), lang)),
    [minor, currency, lang, compact],
  )
}
