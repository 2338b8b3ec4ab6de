import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useTimezone } from '@/shared/lib/session'
import { BulkForm, useStep } from '@/shared/ui/BulkAction'
import { Dialog } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Button } from '@/shared/ui/kit'
import { isWhole, spanOf, type Choice } from '../choice'
import type { MachineName } from '../machine'
import { place } from '../queries'
import { PlaceFields } from './PlaceFields'

/** Moves one contact by hand: where to, until when, and why. */
export function PlaceDialog({ machine, contact, at, onClose }: { machine: MachineName; contact: string; at?: string; onClose: () => void }) {
  const { t } = useTranslation(['lifecycle', 'common'])
  const zone = useTimezone()
  const client = useQueryClient()
  const toast = useToast()
  const step = useStep()
  const [now] = useState(() => Date.now())
  const [choice, setChoice] = useState<Partial<Choice>>(() => ({ until: spanOf(now, zone).proposed, note: '' }))
  const whole = isWhole(choice, now, zone)
  const send = () =>
    step.take(async () => {
      if (!isWhole(choice, now, zone)) return
      await place(machine, contact, { ...choice, note: choice.note.trim() })
      await Promise.all([client.invalidateQueries({ queryKey: ['lifecycle'] }), client.invalidateQueries({ queryKey: ['contacts'] })])
      toast.done(t(`place.done.${machine}`))
      onClose()
    })
  return (
    <Dialog open onClose={onClose} title={t(`place.one.${machine}`)}>
      <BulkForm
        wrong={step.failure}
        told={null}
        onSubmit={() => void send()}
        actions={
          <>
            <Button onClick={onClose}>{t('common:action.cancel')}</Button>
            <Button type="primary" htmlType="submit" loading={step.busy} disabled={!whole}>
              {t('place.do')}
            </Button>
          </>
        }
      >
        <PlaceFields machine={machine} value={choice} onChange={setChoice} now={now} at={at} />
      </BulkForm>
    </Dialog>
  )
}
