import { useTranslation } from 'react-i18next'
import type { TagScore } from '@/shared/api/types'
import { usePrefs } from '@/shared/lib/prefs'
import { formatPoints, lasts, left, loseOf } from '../fade'
import css from './Automation.module.css'

const WIDTH = 320
const HEIGHT = 96
const STEPS = 60

/** How the score of somebody who just reached the threshold fades, and when the tag goes. */
export function FadeCurve({ score }: { score: TagScore }) {
  const { t } = useTranslation('tags')
  const { lang } = usePrefs()
  const days = lasts(score)
  if (!(days > 0)) return null
  const span = Math.max(days * 1.5, score.halfLife * 2)
  const x = (day: number) => (day / span) * WIDTH
  const y = (points: number) => HEIGHT - (points / (score.have * 1.1)) * HEIGHT
  const line = Array.from({ length: STEPS + 1 }, (_, i) => (i / STEPS) * span)
    .map((d) => `${x(d).toFixed(1)},${y(left(score.have, d, score.halfLife)).toFixed(1)}`)
    .join(' ')
  const lose = loseOf(score)
  const words = t('auto.curve', { have: formatPoints(score.have, lang), lose: formatPoints(Math.round(lose * 100) / 100, lang), days: formatPoints(Math.round(days * 10) / 10, lang) })
  return (
    <figure className={css.curve}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={words} preserveAspectRatio="none">
        <rect x={0} y={0} width={x(days)} height={HEIGHT} className={css.held} />
        <line x1={0} x2={WIDTH} y1={y(lose)} y2={y(lose)} className={css.limit} />
        <line x1={x(days)} x2={x(days)} y1={0} y2={HEIGHT} className={css.limit} />
        <polyline points={line} className={css.line} />
      </svg>
      <figcaption className="kp-muted">{words}</figcaption>
    </figure>
  )
}
