import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { FollowUp } from '@/shared/api/types'
import { useTimezone } from '@/shared/lib/session'
import { dayOf } from '@/shared/lib/time'
import { Chip } from '@/shared/ui/chips'
import { DateTime } from '@/shared/ui/values'

/** When a follow-up is due, said in words too when that is past. */
export function Due({ followUp: f }: { followUp: FollowUp }) {
  const { t } = useTranslation('care')
  const zone = useTimezone()
  const [now] = useState(() => Date.now())
  const late = f.state === 'open' && dayOf(f.due, zone) < dayOf(now, zone)
  return (
    <span className="kp-row">
      <DateTime at={f.due} dateOnly={f.allDay} />
      {late && <Chip tone="bad">{t('bucket.overdue')}</Chip>}
    </span>
  )
}
