import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import type { FollowUp } from '@/shared/api/types'
import { useTimezone } from '@/shared/lib/session'
import { Field } from '@/shared/ui/Form'
import { Input, Select } from '@/shared/ui/kit'
import type { PlanBody } from '../queries'
import { staffQuery } from '../queries'
import { dayIn, dueOf } from '../when'

/** How often a follow-up comes again, as the API says it. */
const REPEATS = { none: {}, day: { repeatDays: 1 }, week: { repeatDays: 7 }, fortnight: { repeatDays: 14 }, month: { repeatMonths: 1 }, quarter: { repeatMonths: 3 }, year: { repeatMonths: 12 } } as const

const TYPES = ['call', 'wecom', 'visit', 'other'] as const

export interface PlanValues {
  day: string
  time: string
  type: FollowUp['type']
  assignee: string
  text: string
  repeat: keyof typeof REPEATS
  until: string
}

/** What a plan is made of as the API takes it. */
export const planBody = (v: PlanValues, zone: string): PlanBody => ({ ...dueOf({ day: v.day, time: v.time ?? '' }, zone), type: v.type, assignee: v.assignee, text: (v.text ?? '').trim(), ...repeatBody(v, zone) })

function repeatBody(v: PlanValues, zone: string) {
  if (v.repeat === 'none') return {}
  return { ...REPEATS[v.repeat], ...(v.until && { repeatUntil: dueOf({ day: v.until, time: '' }, zone).due }) }
}

/** A plan for tomorrow, by me. */
export function usePlanStart(me: string): PlanValues {
  return { day: dayIn(1, useTimezone()), time: '', type: 'call', assignee: me, text: '', repeat: 'none', until: '' }
}

/** The fields of a plan: when, how, by whom, about what. */
export function PlanFields({ needed = true }: { needed?: boolean }) {
  const { t } = useTranslation('care')
  const staff = useQuery(staffQuery())
  return (
    <>
      <div className="kp-row wrap">
        <Field name="day" label={t('plan.day')} rules={needed ? [{ required: true, message: t('plan.dayNeeded') }] : []}>
          <Input type="date" />
        </Field>
        <Field name="time" label={t('plan.time')}>
          <Input type="time" />
        </Field>
      </div>
      <Field name="type" label={t('plan.type')} required>
        <Select options={TYPES.map((value) => ({ value, label: t(`type.${value}`) }))} />
      </Field>
      <Field name="assignee" label={t('plan.assignee')} required>
        <Select showSearch optionFilterProp="label" options={(staff.data?.items ?? []).map((u) => ({ value: u.id, label: u.name }))} />
      </Field>
      <div className="kp-row wrap">
        <Field name="repeat" label={t('plan.repeat')}>
          <Select style={{ minWidth: 150 }} options={(Object.keys(REPEATS) as (keyof typeof REPEATS)[]).map((value) => ({ value, label: t(`repeat.${value}`) }))} />
        </Field>
        <Field name="until" label={t('plan.until')}>
          <Input type="date" />
        </Field>
      </div>
      <Field name="text" label={t('plan.text')}>
        <Input.TextArea rows={2} maxLength={2000} />
      </Field>
    </>
  )
}
