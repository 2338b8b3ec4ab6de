import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useToast } from '@/shared/ui/feedback'
import { Button, Select } from '@/shared/ui/kit'
import { changeFollowUps, staffQuery } from '../queries'
import css from './BoardBar.module.css'

/** What can be done with the follow-ups that are ticked. */
export function BoardBar({ ids, onDone }: { ids: string[]; onDone: () => Promise<unknown> }) {
  const { t } = useTranslation('care')
  const toast = useToast()
  const staff = useQuery(staffQuery())
  const [busy, setBusy] = useState(false)
  const act = async (change: Omit<Parameters<typeof changeFollowUps>[0], 'ids'>) => {
    setBusy(true)
    try {
      const { changed } = await changeFollowUps({ ids, ...change })
      toast.done(t('bulk.changed', { count: changed }))
    } catch (error) {
      toast.failed(error)
    }
    setBusy(false)
    await onDone()
  }
  return (
    <div className={css.bar} role="region" aria-label={t('bulk.label')}>
      <b role="status">{t('bulk.selected', { count: ids.length })}</b>
      <Button size="small" disabled={busy} onClick={() => void act({ outcome: 'reached' })}>
        {t('bulk.reached')}
      </Button>
      <Button size="small" disabled={busy} onClick={() => void act({ outcome: 'no_answer' })}>
        {t('bulk.noAnswer')}
      </Button>
      <Button size="small" disabled={busy} onClick={() => void act({ postponeDays: 1 })}>
        {t('postpone')}
      </Button>
      <Button size="small" disabled={busy} onClick={() => void act({ postponeDays: 7 })}>
        {t('bulk.week')}
      </Button>
      <Select
        size="small"
        disabled={busy}
        aria-label={t('bulk.give')}
        placeholder={t('bulk.give')}
        style={{ minWidth: 140 }}
        value={null}
        showSearch={{ optionFilterProp: 'label' }}
        options={(staff.data?.items ?? []).map((u) => ({ value: u.id, label: u.name }))}
        onChange={(assignee: string | null) => assignee && void act({ assignee })}
      />
    </div>
  )
}
