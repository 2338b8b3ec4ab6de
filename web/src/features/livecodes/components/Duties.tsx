import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { LiveCode, LiveCodeDuty } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { Chip, StatusDot } from '@/shared/ui/chips'
import { useToast } from '@/shared/ui/feedback'
import { Switch } from '@/shared/ui/kit'
import { NameMark } from '@/shared/ui/values'
import { CODES_KEY, setMember } from '../queries'
import css from './livecodes.module.css'

/** Who of the pool meets scans just now, and why others do not; each can be taken out of turn. */
export function Duties({ code }: { code: LiveCode }) {
  const { t } = useTranslation('livecodes')
  const may = useCan('acquire.write') && code.state === 'active'
  return (
    <ul className={css.duties}>
      {code.duties.map((d) => (
        <li key={d.staff}>
          <NameMark name={d.name} />
          <span className={css.grow}>
            <span className="kp-row">
              {d.name} {d.backup && <Chip>{t('duty.backup')}</Chip>}
            </span>
            <small>{d.on ? <StatusDot tone="good">{t('duty.on')}</StatusDot> : <StatusDot tone={d.out === 'off' ? 'bad' : 'neutral'}>{d.out ? t(`out.${d.out}`) : t('duty.stand')}</StatusDot>}</small>
          </span>
          <span className="kp-muted kp-num">{t('duty.today', { count: d.today })}</span>
          {may && !d.backup && <Toggle code={code} duty={d} />}
        </li>
      ))}
    </ul>
  )
}

function Toggle({ code, duty }: { code: LiveCode; duty: LiveCodeDuty }) {
  const { t } = useTranslation('livecodes')
  const client = useQueryClient()
  const toast = useToast()
  const [busy, setBusy] = useState(false)
  const offline = code.definition.members.find((m) => m.staff === duty.staff)?.offline ?? false
  const set = async (on: boolean) => {
    setBusy(true)
    try {
      await setMember(code.id, duty.staff, !on)
      await client.invalidateQueries({ queryKey: CODES_KEY })
    } catch (error) {
      toast.failed(error)
    } finally {
      setBusy(false)
    }
  }
  return <Switch size="small" checked={!offline} loading={busy} onChange={(on) => void set(on)} aria-label={t('pool.onlineOf', { name: duty.name })} />
}
