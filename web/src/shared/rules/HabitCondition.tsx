import { Trans, useTranslation } from 'react-i18next'
import type { RuleHabit } from '@/shared/api/types'
import { Select } from '@/shared/ui/kit'
import { HABIT_UNITS, habitOf, HABITS, withWhere } from './behaviour'
import { Count } from './Count'
import { EventPick } from './EventPick'
import css from './Rules.module.css'
import { WhereList } from './WhereList'

/** When something is done: regularly, no more, or again. The numbers stand in a sentence. */
export function HabitCondition({ habit, onChange }: { habit: RuleHabit; onChange: (h: RuleHabit) => void }) {
  const { t } = useTranslation('rules')
  const { kind } = habit
  const count = (key: 'periods' | 'atLeast' | 'times' | 'active' | 'quiet') => <Count label={t(`habit.${key}`)} value={habit[key]} onChange={(n) => onChange({ ...habit, [key]: n })} />
  const unit = (
    <Select
      className={css.small}
      aria-label={t('window.unit')}
      value={habit.unit}
      popupMatchSelectWidth={false}
      onChange={(u: NonNullable<RuleHabit['unit']>) => onChange({ ...habit, unit: u })}
      options={HABIT_UNITS.map((u) => ({ value: u, label: t(`habit.per.${u}`) }))}
    />
  )
  const parts = { periods: count('periods'), atLeast: count('atLeast'), times: count('times'), active: count('active'), quiet: count('quiet'), unit }
  return (
    <>
      <div className={css.flow}>
        <Select
          className={css.ask}
          aria-label={t('habit.kind')}
          value={kind}
          popupMatchSelectWidth={false}
          onChange={(k: RuleHabit['kind']) => onChange(habitOf(k, habit))}
          options={HABITS.map((k) => ({ value: k, label: t(`habit.${k}`) }))}
        />
        <EventPick value={habit.name} onChange={(name) => onChange(withWhere({ ...habit, name }, undefined))} />
        <span className={css.bit}>
          {kind === 'regularly' && <Trans t={t} i18nKey="habit.sayRegularly" components={parts} />}
          {kind === 'stopped' && <Trans t={t} i18nKey="habit.sayStopped" components={parts} />}
          {kind === 'resumed' && <Trans t={t} i18nKey="habit.sayResumed" components={parts} />}
        </span>
      </div>
      <WhereList event={habit.name} value={habit.where} onChange={(where) => onChange(withWhere(habit, where))} />
    </>
  )
}
