import { useTranslation } from 'react-i18next'
import { useMe, useTimezone } from '@/shared/lib/session'
import { Dialog } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Form } from '@/shared/ui/Form'
import { planFollowUp } from '../queries'
import { planBody, PlanFields, usePlanStart, type PlanValues } from './PlanFields'

interface Props {
  contact: string
  open: boolean
  onClose: () => void
  onSaved: () => Promise<unknown>
}

/** Plans a follow-up with a contact. */
export function PlanDialog({ contact, open, onClose, onSaved }: Props) {
  const { t } = useTranslation('care')
  const zone = useTimezone()
  const toast = useToast()
  const start = usePlanStart(useMe().user.id)
  return (
    <Dialog open={open} onClose={onClose} title={t('plan.title')}>
      <Form<PlanValues>
        initial={start}
        submit={t('plan.save')}
        onSubmit={async (v) => {
          await planFollowUp(contact, planBody(v, zone))
          toast.done(t('plan.saved'))
          onClose()
          await onSaved()
        }}
      >
        <PlanFields />
      </Form>
    </Dialog>
  )
}
