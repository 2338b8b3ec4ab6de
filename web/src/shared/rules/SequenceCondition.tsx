import { ArrowDown, ArrowUp, Plus, X } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import type { RuleSequence, RuleStep } from '@/shared/api/types'
import { Button, Checkbox } from '@/shared/ui/kit'
import { MAX_STEPS, MIN_STEPS } from './behaviour'
import { EventPick } from './EventPick'
import css from './Rules.module.css'
import { Span, TimeWindow } from './TimeWindow'
import { WhereList } from './WhereList'

/** The list with two neighbours exchanged. */
function swap<T>(list: T[], a: number, b: number): T[] {
  const [x, y] = [list[a], list[b]]
  if (x === undefined || y === undefined) return list
  return list.map((v, i) => (i === a ? y : i === b ? x : v))
}

/** One thing after another: steps, how far they may lie apart, and in which time all of them lie. */
export function SequenceCondition({ sequence, onChange }: { sequence: RuleSequence; onChange: (s: RuleSequence) => void }) {
  const { t } = useTranslation('rules')
  const { steps, gap, within } = sequence
  const say = (next: Partial<RuleSequence>) => {
    const all = { ...sequence, ...next }
    onChange({ steps: all.steps, ...(all.gap ? { gap: all.gap } : {}), ...(all.within ? { within: all.within } : {}) })
  }
  const put = (i: number, step: RuleStep) => say({ steps: steps.map((s, n) => (n === i ? step : s)) })
  return (
    <div className={css.sequence}>
      <ol className={css.steps} aria-label={t('sequence.label')}>
        {steps.map((step, i) => (
          <li key={i}>
            <span className={css.nth}>{i + 1}</span>
            <div className={css.stepBody}>
              <div className={css.flow}>
                <span className={css.word}>{i === 0 ? t('sequence.first') : t('sequence.then')}</span>
                <EventPick value={step.name} onChange={(name) => put(i, { name })} />
                <span className={css.stepTools}>
                  <Button size="small" type="text" disabled={i === 0} aria-label={t('sequence.up', { n: i + 1 })} icon={<ArrowUp size={14} aria-hidden />} onClick={() => say({ steps: swap(steps, i, i - 1) })} />
                  <Button size="small" type="text" disabled={i === steps.length - 1} aria-label={t('sequence.down', { n: i + 1 })} icon={<ArrowDown size={14} aria-hidden />} onClick={() => say({ steps: swap(steps, i, i + 1) })} />
                  <Button size="small" type="text" disabled={steps.length <= MIN_STEPS} aria-label={t('sequence.remove', { n: i + 1 })} icon={<X size={14} aria-hidden />} onClick={() => say({ steps: steps.filter((_, n) => n !== i) })} />
                </span>
              </div>
              <WhereList event={step.name} value={step.where} onChange={(where) => put(i, { name: step.name, ...(where ? { where } : {}) })} />
            </div>
          </li>
        ))}
      </ol>
      <div className={css.flow}>
        {steps.length < MAX_STEPS && (
          <Button size="small" type="link" className={css.more} icon={<Plus size={13} aria-hidden />} onClick={() => say({ steps: [...steps, { name: '' }] })}>
            {t('sequence.add')}
          </Button>
        )}
        <Checkbox checked={gap !== undefined} onChange={(e) => say({ gap: e.target.checked ? { n: 7, unit: 'day' } : undefined })}>
          {t('sequence.gap')}
        </Checkbox>
        {gap && <Span label={t('sequence.gap')} value={gap} onChange={(g) => say({ gap: g })} />}
        <TimeWindow value={within} onChange={(w) => say({ within: w })} />
      </div>
    </div>
  )
}
