import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { FollowUp } from '@/shared/api/types'
import { useMe, useTimezone } from '@/shared/lib/session'
import { Dialog } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Field, Form } from '@/shared/ui/Form'
import { Checkbox, Input, Select } from '@/shared/ui/kit'
import { completeFollowUp, type DoneBody } from '../queries'
import { planBody, PlanFields, usePlanStart, type PlanValues } from './PlanFields'

const OUTCOMES = ['reached', 'no_answer', 'interested', 'not_interested', 'deal'] as const

interface Values extends PlanValues {
  outcome: DoneBody['outcome']
  note: string
}

/** What came of a follow-up, and what comes next. */
export function DoneDialog({ followUp, onClose, onSaved }: { followUp: FollowUp | undefined; onClose: () => void; onSaved: () => Promise<unknown> }) {
  const { t } = useTranslation('care')
  const zone = useTimezone()
  const toast = useToast()
  const [again, setAgain] = useState(false)
  const start = usePlanStart(useMe().user.id)
  return (
    <Dialog open={followUp !== undefined} onClose={onClose} title={t('done.title', { name: followUp?.contact?.name ?? '' })}>
      {followUp && (
        <Form<Values>
          key={followUp.id}
          initial={{ ...start, outcome: 'reached', type: followUp.type }}
          submit={t('done.save')}
          onSubmit={async (v) => {
            await completeFollowUp(followUp.id, { outcome: v.outcome, note: (v.note ?? '').trim(), ...(again && { next: planBody(v, zone) }) })
            toast.done(t('done.saved'))
            setAgain(false)
            onClose()
            await onSaved()
          }}
        >
          <Field name="outcome" label={t('done.outcome')} required>
            <Select autoFocus options={OUTCOMES.map((value) => ({ value, label: t(`outcome.${value}`) }))} />
          </Field>
          <Field name="note" label={t('done.note')}>
            <Input.TextArea rows={2} maxLength={2000} />
          </Field>
          <p>
            <Checkbox checked={again} onChange={(e) => setAgain(e.target.checked)}>
              {t('done.next')}
            </Checkbox>
          </p>
          {again && <PlanFields />}
        </Form>
      )}
    </Dialog>
  )
}
