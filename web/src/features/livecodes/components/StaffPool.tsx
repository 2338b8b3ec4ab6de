import { CalendarClock, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { LiveCodeAccount, LiveCodeMember } from '@/shared/api/types'
import { Chip } from '@/shared/ui/chips'
import { Alert, Button, Input, Select, Switch } from '@/shared/ui/kit'
import { NameMark } from '@/shared/ui/values'
import css from './livecodes.module.css'
import { WeekTimes } from '@/shared/week/WeekTimes'
import { Fault, type FaultOf } from './WelcomeEditor'

interface Props {
  account: LiveCodeAccount | undefined
  value: readonly LiveCodeMember[]
  onChange: (next: LiveCodeMember[]) => void
  faultOf: FaultOf
}

/** Whom scans meet: each colleague's share, hours and most a day. */
export function StaffPool({ account, value, onChange, faultOf }: Props) {
  const { t } = useTranslation('livecodes')
  const [open, setOpen] = useState('')
  const put = (i: number, patch: Partial<LiveCodeMember>) => onChange(value.map((m, k) => (k === i ? { ...m, ...patch } : m)))
  return (
    <div className="kp-stack">
      <StaffSelect account={account} label={t('pool.add')} value={value.map((m) => m.staff)} onChange={(ids) => onChange(ids.map((id) => value.find((m) => m.staff === id) ?? { staff: id }))} />
      <Fault text={faultOf('members')} />
      {value.length > 0 && (
        <ul className={css.pool}>
          {value.map((m, i) => {
            const who = account?.colleagues.find((c) => c.id === m.staff)
            const name = who?.name ?? m.staff
            const shifts = m.shifts ?? []
            const fault = faultOf(`members[${i}].staff`) ?? faultOf(`members[${i}].weight`) ?? faultOf(`members[${i}].cap`)
            return (
              <li key={m.staff}>
                <div className={css.member}>
                  <NameMark name={name} />
                  <span className={css.who}>
                    <b>{name}</b>
                    {who?.off && <Chip tone="warn">{t('out.off')}</Chip>}
                  </span>
                  <label className={css.small}>
                    {t('pool.weight')}
                    <Input type="number" min={1} max={100} value={m.weight || 1} onChange={(e) => put(i, { weight: Number(e.target.value) || 0 })} />
                  </label>
                  <label className={css.small}>
                    {t('pool.cap')}
                    <Input type="number" min={0} max={10000} value={m.cap || ''} placeholder={t('pool.noCap')} onChange={(e) => put(i, { cap: Number(e.target.value) || 0 })} />
                  </label>
                  <Button size="small" icon={<CalendarClock size={14} aria-hidden />} aria-expanded={open === m.staff} onClick={() => setOpen(open === m.staff ? '' : m.staff)}>
                    {shifts.length === 0 ? t('pool.always') : t('pool.shifts', { count: shifts.length })}
                  </Button>
                  <span className={css.toggle}>
                    <Switch size="small" checked={!m.offline} onChange={(on) => put(i, { offline: !on })} aria-label={t('pool.onlineOf', { name })} />
                    <small>{m.offline ? t('out.offline') : t('pool.online')}</small>
                  </span>
                  <Button type="text" size="small" aria-label={t('pool.remove', { name })} icon={<Trash2 size={15} aria-hidden />} onClick={() => onChange(value.filter((_, k) => k !== i))} />
                </div>
                <Fault text={fault} />
                {open === m.staff && (
                  <WeekTimes
                    label={t('pool.shiftsOf', { name })}
                    value={shifts}
                    onChange={(next) => put(i, { shifts: next })}
                    fault={shifts.map((_, k) => faultOf(`members[${i}].shifts[${k}].to`) ?? faultOf(`members[${i}].shifts[${k}].from`) ?? faultOf(`members[${i}].shifts[${k}].days`)).find(Boolean)}
                  />
                )}
              </li>
            )
          })}
        </ul>
      )}
    </div>
  )
}

/** Colleagues of an account, by name. */
export function StaffSelect({ account, label, value, onChange }: { account: LiveCodeAccount | undefined; label: string; value: readonly string[]; onChange: (ids: string[]) => void }) {
  const { t } = useTranslation('livecodes')
  return (
    <>
    {account?.fault && <Alert type="warning" showIcon title={account.fault} />}
    <Select<string[]>
      mode="multiple"
      aria-label={label}
      placeholder={label}
      disabled={!account}
      value={[...value]}
      onChange={onChange}
      maxTagCount={6}
      style={{ width: '100%' }}
      showSearch={{ optionFilterProp: 'label' }}
      options={(account?.colleagues ?? []).map((c) => ({ value: c.id, label: c.off ? `${c.name} · ${t('out.off')}` : c.name, disabled: c.off && !value.includes(c.id) }))}
    />
    </>
  )
}
