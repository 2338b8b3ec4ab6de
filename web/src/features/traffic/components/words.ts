import { useTranslation } from 'react-i18next'
import type { TrafficFinding } from '@/shared/api/types'
import { formatInt, formatPercent } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { formatDateTime } from '@/shared/lib/time'

/** Says in words what was found. */
export function useFindingWords() {
  const { t } = useTranslation('traffic')
  const { lang } = usePrefs()
  const number = (n: number) => formatInt(n, lang)
  const share = (n: number) => formatPercent(n, lang, 1)
  const thing = (f: TrafficFinding) => t(f.subject.startsWith('page:') ? 'thing.page' : 'thing.link', { title: f.title || f.subject.slice(5) })
  return {
    number,
    share,
    title: (f: TrafficFinding) => (f.kind === 'rate' && f.measure !== 'opens' ? t(`rate.${f.measure}`, { channel: f.channelName ?? f.channel ?? '' }) : t(f.kind === 'bots' ? 'kind.bots' : 'kind.burst', { thing: thing(f) })),
    figure: (f: TrafficFinding) => {
      const e = f.evidence
      if (f.kind === 'rate' && e.verdict) return t(e.verdict.off < 0 ? 'figure.lower' : 'figure.higher', { share: share(e.verdict.share), baseline: share(e.verdict.baseline), off: share(Math.abs(e.verdict.off)) })
      if (f.kind === 'burst') return t('figure.burst', { opens: number(e.opens ?? 0), people: number(e.people ?? 0) })
      return t('figure.bots', { opens: number(e.opens ?? 0), people: number(e.people ?? 0) })
    },
    span: (f: TrafficFinding, zone: string) => (f.kind === 'burst' ? formatDateTime(f.from, lang, zone) : (f.evidence.day?.day ?? formatDateTime(f.from, lang, zone).slice(0, 10))),
  }
}
