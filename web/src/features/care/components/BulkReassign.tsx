import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Undo2, UserRoundPen } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Reassignment } from '@/shared/api/types'
import { usePrefs } from '@/shared/lib/prefs'
import type { ContactSelection } from '@/shared/lib/selection'
import { BulkAction, BulkField, BulkForm, useStep } from '@/shared/ui/BulkAction'
import { ProgressBar } from '@/shared/ui/JobProgress'
import { Button, Input, Segmented, Select } from '@/shared/ui/kit'
import { reassign, reassignmentQuery, reassignPreview, staffQuery, undoReassignment } from '../queries'

type Mode = 'staff' | 'nobody'

/** Gives the chosen contacts to other owners. */
export function BulkReassign({ selection }: { selection: ContactSelection }) {
  const { t } = useTranslation('care')
  return (
    <BulkAction<Reassignment>
      selection={selection}
      icon={<UserRoundPen size={14} aria-hidden />}
      label={t('reassign.do')}
      title={(count) => t('reassign.title', { count })}
      choose={(p) => <Choosing {...p} />}
      follow={({ run, onClose }) => <Running started={run} onClose={onClose} />}
    />
  )
}

/** To whom, why, and how many that are. */
function Choosing({ who, onClose, onStart }: { who: ContactSelection; onClose: () => void; onStart: (run: Reassignment) => void }) {
  const { t } = useTranslation(['care', 'common'])
  const step = useStep()
  const staff = useQuery(staffQuery())
  const [mode, setMode] = useState<Mode>('staff')
  const [to, setTo] = useState<string[]>([])
  const [reason, setReason] = useState('')
  const preview = useQuery(reassignPreview(who.body))
  const total = preview.data?.total
  const ready = total !== undefined && total > 0 && (mode === 'nobody' || to.length > 0)
  const start = () => step.take(async () => onStart(await reassign(who.body, mode === 'nobody' ? [] : to, reason.trim())))
  const wrong = step.failure ?? preview.error ?? staff.error
  return (
    <BulkForm
      wrong={wrong}
      onSubmit={() => void start()}
      told={
        <>
          {total === undefined ? !wrong && t('reassign.counting') : <b>{mode === 'nobody' ? t('reassign.willNobody', { count: total }) : t('reassign.will', { count: total })}</b>}
          {mode === 'staff' && to.length > 1 && total !== undefined && <span>{t('reassign.evenly', { count: to.length })}</span>}
        </>
      }
      actions={
        <>
          <Button onClick={onClose}>{t('common:action.cancel')}</Button>
          <Button type="primary" htmlType="submit" loading={step.busy} disabled={!ready}>
            {t('reassign.run', { count: total ?? who.count })}
          </Button>
        </>
      }
    >
      <Segmented<Mode>
        block
        value={mode}
        onChange={setMode}
        options={[
          { value: 'staff', label: t('reassign.staff') },
          { value: 'nobody', label: t('reassign.nobody') },
        ]}
      />
      {mode === 'staff' && (
        <BulkField label={t('reassign.to')}>
          <Select
            mode="multiple"
            autoFocus
            aria-label={t('reassign.to')}
            loading={staff.isLoading}
            optionFilterProp="label"
            value={to}
            onChange={setTo}
            options={(staff.data?.items ?? []).map((u) => ({ value: u.id, label: u.departments.length > 0 ? `${u.name}（${u.departments.join('、')}）` : u.name }))}
          />
        </BulkField>
      )}
      <BulkField label={t('reassign.reason')}>
        <Input value={reason} maxLength={200} onChange={(e) => setReason(e.target.value)} />
      </BulkField>
    </BulkForm>
  )
}

/** How the work goes, and its undo. */
function Running({ started, onClose }: { started: Reassignment; onClose: () => void }) {
  const { t } = useTranslation('care')
  const { lang } = usePrefs()
  const client = useQueryClient()
  const step = useStep()
  const { data: run = started } = useQuery(reassignmentQuery(started.id))
  const going = run.state === 'queued' || run.state === 'running'
  useEffect(() => {
    if (!going) void client.invalidateQueries({ queryKey: ['contacts'] })
  }, [client, going])
  const undo = () =>
    step.take(async () => {
      client.setQueryData(reassignmentQuery(run.id).queryKey, await undoReassignment(run.id))
      void client.invalidateQueries({ queryKey: reassignmentQuery(run.id).queryKey })
    })
  return (
    <BulkForm
      wrong={step.failure}
      told={
        <>
          {going && <ProgressBar label={run.undoes ? t('reassign.undoing') : t('reassign.running')} done={run.seen} total={run.total} lang={lang} />}
          {!going && <b>{run.undoes ? t('reassign.undone', { count: run.undone }) : t('reassign.done', { count: run.moved })}</b>}
          {!going && run.undoes && run.undone < run.moved && <span>{t('reassign.kept', { count: run.moved - run.undone })}</span>}
          {(run.state === 'failed' || run.state === 'cancelled') && <span>{t('reassign.stopped')}</span>}
        </>
      }
      actions={
        <>
          {!going && !run.undoes && run.moved > 0 && (
            <Button icon={<Undo2 size={14} aria-hidden />} loading={step.busy} onClick={() => void undo()}>
              {t('reassign.undo')}
            </Button>
          )}
          <Button type="primary" onClick={onClose}>
            {t('reassign.close')}
          </Button>
        </>
      }
    />
  )
}
