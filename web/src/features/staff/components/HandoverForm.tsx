import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { CorpMember } from '@/shared/api/types'
import { BulkField, BulkForm, useStep } from '@/shared/ui/BulkAction'
import { useToast } from '@/shared/ui/feedback'
import { Button, Input, Select } from '@/shared/ui/kit'
import { handOver, servingQuery, STAFF_KEY } from '../queries'

/** Hands customers of a colleague to another: to whom, and what the customers read. */
export function HandoverForm({ from, customers, onEnd }: { from: CorpMember; customers: string[]; onEnd: () => void }) {
  const { t } = useTranslation(['staff', 'common'])
  const client = useQueryClient()
  const toast = useToast()
  const step = useStep()
  const others = useQuery(servingQuery(from.account))
  const [to, setTo] = useState<string>()
  const [message, setMessage] = useState('')
  const gone = from.state === 'left'
  const count = customers.length > 0 ? customers.length : from.friends
  const start = () =>
    step.take(async () => {
      await handOver({ account: from.account, from: from.id, to: to ?? '', customers: customers.length > 0 ? customers : undefined, all: customers.length === 0, message: gone ? undefined : message.trim() || undefined })
      toast.done(t('staff:hand.started'))
      await client.invalidateQueries({ queryKey: STAFF_KEY })
      onEnd()
    })
  return (
    <BulkForm
      wrong={step.failure ?? others.error}
      onSubmit={() => void start()}
      told={
        <>
          <b>{t('staff:hand.will', { count, name: from.name })}</b>
          <span>{gone ? t('staff:hand.ruleLeft') : t('staff:hand.rule')}</span>
        </>
      }
      actions={
        <>
          <Button onClick={onEnd}>{t('common:action.cancel')}</Button>
          <Button type="primary" htmlType="submit" loading={step.busy} disabled={!to}>
            {t('staff:hand.run', { count })}
          </Button>
        </>
      }
    >
      <BulkField label={t('staff:hand.to')}>
        <Select
          showSearch
          autoFocus
          aria-label={t('staff:hand.to')}
          optionFilterProp="label"
          loading={others.isLoading}
          value={to}
          onChange={setTo}
          options={(others.data?.items ?? []).filter((m) => m.id !== from.id).map((m) => ({ value: m.id, label: m.departments.length > 0 ? `${m.name}（${m.departments.join('、')}）` : m.name }))}
        />
      </BulkField>
      {!gone && (
        <BulkField label={t('staff:hand.message')}>
          <Input.TextArea rows={3} maxLength={200} showCount value={message} placeholder={t('staff:hand.placeholder')} onChange={(e) => setMessage(e.target.value)} />
        </BulkField>
      )}
    </BulkForm>
  )
}
