import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Plus, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '@/shared/api/errors'
import type { ReplyDay, ReplyHours } from '@/shared/api/types'
import { useCan, useTimezone } from '@/shared/lib/session'
import { addDays, dayOf } from '@/shared/lib/time'
import { Drawer } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Alert, Button, Input } from '@/shared/ui/kit'
import { QueryState, useErrorText } from '@/shared/ui/states'
import { WeekTimes } from '@/shared/week/WeekTimes'
import { hoursQuery, REPLIES_KEY, setHours } from '../queries'
import css from './replies.module.css'

/** When an account has people who answer: outside of it the off-hours answer goes out. */
export function HoursDrawer({ account, onClose }: { account: string; onClose: () => void }) {
  const { t } = useTranslation('replies')
  const query = useQuery({ ...hoursQuery(account), refetchOnWindowFocus: false })
  return (
    <Drawer open onClose={onClose} title={t('hours.title')} width={680}>
      <QueryState query={query}>{(h) => <Edit account={account} first={h} onClose={onClose} />}</QueryState>
    </Drawer>
  )
}

function Edit({ account, first, onClose }: { account: string; first: ReplyHours; onClose: () => void }) {
  const { t } = useTranslation(['replies', 'common'])
  const client = useQueryClient()
  const toast = useToast()
  const say = useErrorText()
  const zone = useTimezone()
  const mayWrite = useCan('acquire.write')
  const [windows, setWindows] = useState(first.windows ?? [])
  const [days, setDays] = useState<ReplyDay[]>(first.days ?? [])
  const [failure, setFailure] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const put = (i: number, patch: Partial<ReplyDay>) => setDays(days.map((d, k) => (k === i ? { ...d, ...patch } : d)))
  const save = async () => {
    setBusy(true)
    setFailure(undefined)
    try {
      await setHours(account, { windows, days })
      await client.invalidateQueries({ queryKey: REPLIES_KEY })
      toast.done(t('hours.saved'))
      onClose()
    } catch (error) {
      setFailure(error)
      setBusy(false)
    }
  }
  const add = (worked: boolean) => {
    const last = days.at(-1)?.date
    setDays([...days, { date: last ? addDays(last, 1) : dayOf(Date.now(), zone), ...(worked ? { from: '09:00', to: '18:00' } : {}) }])
  }
  return (
    <fieldset className={css.plain} disabled={!mayWrite}>
      <div className="kp-stack">
        <p className="kp-muted">{t('hours.desc', { zone })}</p>
        {failure !== undefined && <Alert type="error" showIcon role="alert" title={failure instanceof ApiError && failure.fields[0] ? failure.fields[0].detail : say(failure).detail} />}
        <WeekTimes label={t('hours.week')} value={windows} onChange={(w) => setWindows(w)} />
        <h3 className={css.sub}>{t('hours.days')}</h3>
        <p className={css.hint}>{t('hours.daysHint')}</p>
        {days.map((d, i) => (
          <div key={i} className={css.day}>
            <Input type="date" aria-label={t('hours.date', { n: i + 1 })} value={d.date} onChange={(e) => put(i, { date: e.target.value })} style={{ width: 150 }} />
            {d.from ? (
              <>
                <Input type="time" aria-label={t('hours.from', { n: i + 1 })} value={d.from} onChange={(e) => put(i, { from: e.target.value })} style={{ width: 110 }} />
                <span aria-hidden>–</span>
                <Input type="time" aria-label={t('hours.to', { n: i + 1 })} value={d.to ?? ''} onChange={(e) => put(i, { to: e.target.value })} style={{ width: 110 }} />
              </>
            ) : (
              <span className="kp-muted">{t('hours.closed')}</span>
            )}
            <Input aria-label={t('hours.note', { n: i + 1 })} placeholder={t('hours.noteHint')} maxLength={40} value={d.note ?? ''} onChange={(e) => put(i, { note: e.target.value })} style={{ flex: 1, minWidth: 90 }} />
            <Button type="text" aria-label={t('hours.remove', { n: i + 1 })} icon={<Trash2 size={15} aria-hidden />} onClick={() => setDays(days.filter((_, k) => k !== i))} />
          </div>
        ))}
        <div className="kp-row wrap">
          <Button size="small" icon={<Plus size={14} aria-hidden />} onClick={() => add(false)}>
            {t('hours.addClosed')}
          </Button>
          <Button size="small" icon={<Plus size={14} aria-hidden />} onClick={() => add(true)}>
            {t('hours.addOpen')}
          </Button>
        </div>
        {mayWrite && (
          <div>
            <Button type="primary" loading={busy} onClick={() => void save()}>
              {t('common:action.save')}
            </Button>
          </div>
        )}
      </div>
    </fieldset>
  )
}
