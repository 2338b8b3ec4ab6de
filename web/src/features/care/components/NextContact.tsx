import { useQuery, useQueryClient } from '@tanstack/react-query'
import { CalendarClock } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useCan, useTimezone } from '@/shared/lib/session'
import type { Day } from '@/shared/lib/time'
import { useToast } from '@/shared/ui/feedback'
import { Button, Input, Popover } from '@/shared/ui/kit'
import { DateTime, None } from '@/shared/ui/values'
import { contactFollowUps, moveFollowUp, planFollowUp } from '../queries'
import { dayIn, dueOf, urgencyOf } from '../when'
import css from './NextContact.module.css'

const SOON = [1, 3, 7, 30] as const

/** When the contact is to be spoken with next, in the head of its page: one click plans it or moves it. */
export function NextContact({ contact }: { contact: string }) {
  const { t } = useTranslation('care')
  const zone = useTimezone()
  const may = useCan('contact.write')
  const client = useQueryClient()
  const toast = useToast()
  const [open, setOpen] = useState(false)
  const [busy, setBusy] = useState(false)
  const [now] = useState(() => Date.now())
  const query = useQuery(contactFollowUps(contact))
  const next = query.data?.items.find((f) => f.state === 'open')
  const urgency = next && urgencyOf(next.due, zone, now)
  const set = async (day: Day) => {
    setBusy(true)
    try {
      const when = dueOf({ day, time: '' }, zone)
      await (next ? moveFollowUp(next.id, when) : planFollowUp(contact, { ...when, type: 'call' }))
      setOpen(false)
      toast.done(t(next ? 'next.moved' : 'plan.saved'))
    } catch (error) {
      toast.failed(error)
    }
    setBusy(false)
    await client.invalidateQueries({ queryKey: ['care'] })
  }
  const shown = next ? (
    <>
      <DateTime at={next.due} dateOnly={next.allDay} />
      {urgency && <span className={css.word}>{t(`next.${urgency}`)}</span>}
    </>
  ) : undefined
  return (
    <div className={css.next}>
      <span>{t('next.title')}</span>
      {may ? (
        <Popover
          trigger="click"
          placement="bottomRight"
          open={open}
          onOpenChange={setOpen}
          content={
            <div className={css.choice}>
              <div className={css.soon}>
                {SOON.map((days) => (
                  <Button key={days} size="small" disabled={busy} onClick={() => void set(dayIn(days, zone))}>
                    {days === 1 ? t('next.tomorrow') : t('next.inDays', { count: days })}
                  </Button>
                ))}
              </div>
              <label>
                {t('next.day')}
                <Input type="date" size="small" disabled={busy} min={dayIn(0, zone)} onChange={(e) => e.target.value && void set(e.target.value)} />
              </label>
              {next?.text && <p className="kp-muted">{next.text}</p>}
            </div>
          }
        >
          <Button className={css.button} data-urgency={urgency} icon={<CalendarClock size={14} aria-hidden />} loading={query.isLoading} aria-label={t('next.change')}>
            {shown ?? t('next.none')}
          </Button>
        </Popover>
      ) : (
        <b data-urgency={urgency}>{shown ?? <None />}</b>
      )}
    </div>
  )
}
