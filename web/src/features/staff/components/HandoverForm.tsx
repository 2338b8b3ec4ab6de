import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { CorpMember } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { BulkField, BulkForm, useStep } from '@/shared/ui/BulkAction'
import { useToast } from '@/shared/ui/feedback'
import { Button, Checkbox, Input, Select } from '@/shared/ui/kit'
import { handOver, servingQuery, STAFF_KEY } from '../queries'

interface Props {
  from: CorpMember
  /** Those who were chosen; none: all. */
  customers: string[]
  /** How many customers that is. */
  count: number
  /** Groups that wait for another owner; only those who left have any. */
  groups?: number
  onEnd: () => void
}

/** Hands customers of a colleague to another, or to several in equal shares: to whom, and what the customers read. */
export function HandoverForm({ from, customers, count, groups = 0, onEnd }: Props) {
  const { t } = useTranslation(['staff', 'common'])
  const { lang } = usePrefs()
  const client = useQueryClient()
  const toast = useToast()
  const step = useStep()
  const others = useQuery(servingQuery(from.account))
  const [to, setTo] = useState<string[]>([])
  const [message, setMessage] = useState('')
  const [withGroups, setWithGroups] = useState(groups > 0)
  const gone = from.state === 'left'
  const people = customers.length > 0 ? customers.length : count
  const moving = withGroups ? groups : 0
  const start = () =>
    step.take(async () => {
      const all = customers.length === 0 && people > 0
      await handOver({ account: from.account, from: from.id, to, customers: customers.length > 0 ? customers : undefined, all, groups: moving > 0, message: gone ? undefined : message.trim() || undefined })
      toast.done(t('staff:hand.started'))
      await client.invalidateQueries({ queryKey: STAFF_KEY })
      onEnd()
    })
  const names = new Map((others.data?.items ?? []).map((m) => [m.id, m.name]))
  return (
    <BulkForm
      wrong={step.failure ?? others.error}
      onSubmit={() => void start()}
      told={
        <>
          <b>{people > 0 ? t('staff:hand.will', { count: people, name: from.name }) : t('staff:hand.willGroups', { count: moving, name: from.name })}</b>
          {to.length > 1 && <span>{t('staff:hand.shares', { each: shares(people, to.length, lang), names: to.map((id) => names.get(id) ?? id).join('、') })}</span>}
          <span>{gone ? t('staff:hand.ruleLeft') : t('staff:hand.rule')}</span>
          {moving > 0 && <span>{t('staff:hand.ruleGroups', { count: moving })}</span>}
        </>
      }
      actions={
        <>
          <Button onClick={onEnd}>{t('common:action.cancel')}</Button>
          <Button type="primary" htmlType="submit" loading={step.busy} disabled={to.length === 0 || people + moving === 0}>
            {people > 0 ? t('staff:hand.run', { count: people }) : t('staff:hand.runGroups', { count: moving })}
          </Button>
        </>
      }
    >
      <BulkField label={t('staff:hand.to')}>
        <Select
          mode="multiple"
          showSearch={{ optionFilterProp: 'label' }}
          autoFocus
          maxCount={50}
          aria-label={t('staff:hand.to')}
          placeholder={t('staff:hand.toHint')}
          loading={others.isLoading}
          value={to}
          onChange={setTo}
          options={(others.data?.items ?? []).filter((m) => m.id !== from.id).map((m) => ({ value: m.id, label: m.departments.length > 0 ? `${m.name}（${m.departments.join('、')}）` : m.name }))}
        />
      </BulkField>
      {groups > 0 && people > 0 && (
        <Checkbox checked={withGroups} onChange={(e) => setWithGroups(e.target.checked)}>
          {t('staff:hand.groups', { count: groups })}
        </Checkbox>
      )}
      {!gone && (
        <BulkField label={t('staff:hand.message')}>
          <Input.TextArea rows={3} maxLength={200} showCount value={message} placeholder={t('staff:hand.placeholder')} onChange={(e) => setMessage(e.target.value)} />
        </BulkField>
      )}
    </BulkForm>
  )
}

/** How many each of several gets: one number, or two that lie one apart. */
function shares(total: number, among: number, lang: string): string {
  const low = Math.floor(total / among)
  return total % among === 0 ? formatInt(low, lang) : `${formatInt(low, lang)}–${formatInt(low + 1, lang)}`
}
