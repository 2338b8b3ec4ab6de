import type { Overview } from '@/shared/api/types'
import { codeText } from '@/shared/i18n/code'
import { formatMoney, formatPercent } from '@/shared/lib/format'

type Advice = Overview['advice'][number]

/** Parameters that are ratios between 0 and 1 and read as percentages. */
const RATIOS = new Set(['share', 'rate', 'average', 'previous'])

interface Words {
  lang: string
  currency: string
  channelName: (id: string) => string
}

/** Makes a piece of advice's raw parameters readable: percentages, money, channel names. */
export function adviceParams(params: Record<string, unknown>, { lang, currency, channelName }: Words): Record<string, unknown> {
  const money = typeof params.currency === 'string' ? params.currency : currency
  return Object.fromEntries(
    Object.entries(params).map(([key, value]) => {
      if (key === 'channel' && typeof value === 'string') return [key, channelName(value)]
      if (key === 'amount' && typeof value === 'number') return [key, formatMoney({ amount: value, currency: money }, lang, { whole: true })]
      if (RATIOS.has(key) && typeof value === 'number') return [key, formatPercent(value, lang)]
      return [key, value]
    }),
  )
}

/** Title and text of a piece of advice; a code this console does not know shows as itself. */
export function adviceText(advice: Advice, words: Words): { title: string; desc: string } {
  const params = adviceParams(advice.params, words)
  const of = (part: string) => {
    const code = `${advice.code}.${part}`
    const text = codeText('overview', 'advice', code, params)
    return text === code ? undefined : text
  }
  return { title: of('title') ?? advice.code, desc: of('desc') ?? '' }
}

/** Links that leave the console are not followed: advice points at pages of the console only. */
export function adviceLink(link: string): string | undefined {
  return /^\/(?!\/)/.test(link) ? link : undefined
}
