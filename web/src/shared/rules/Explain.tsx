import { Check, Minus, X } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import type { Explained } from '@/shared/api/types'
import { DateTime } from '@/shared/ui/values'
import css from './Explain.module.css'

type Verdict = Explained['rule']

/** Why somebody is among those whom a rule means, or not: a mark at every part of the rule. */
export function ExplainTree({ verdict }: { verdict: Verdict }) {
  const { t } = useTranslation('rules')
  return (
    <ul className={css.tree} aria-label={t('explain.label')}>
      <Node verdict={verdict} />
    </ul>
  )
}

function Node({ verdict: v }: { verdict: Verdict }) {
  const { t } = useTranslation('rules')
  const condition = v.kind === 'condition'
  return (
    <li>
      <div className={css.node} data-holds={v.holds}>
        <span className={css.mark} role="img" aria-label={v.holds ? t('explain.yes') : t('explain.no')}>
          {v.holds ? <Check size={13} aria-hidden /> : condition ? <X size={13} aria-hidden /> : <Minus size={13} aria-hidden />}
        </span>
        <div className={css.said}>
          <span className={condition ? undefined : css.group}>{condition ? v.sentence : t(`kind.${v.kind as 'all' | 'any' | 'none'}`)}</span>
          {v.has && <small>{t('explain.has', { has: v.has })}</small>}
          {v.at && v.at.length > 0 && (
            <small className={css.times}>
              {v.at.map((at, i) => (
                <DateTime key={`${at}${i}`} at={at} />
              ))}
            </small>
          )}
        </div>
      </div>
      {v.parts && v.parts.length > 0 && (
        <ul>
          {v.parts.map((p) => (
            <Node key={p.path} verdict={p} />
          ))}
        </ul>
      )}
    </li>
  )
}
