import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Undo2, UserRoundPen } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Reassignment } from '@/shared/api/types'
import { usePrefs } from '@/shared/lib/prefs'
import type { ContactSelection } from '@/shared/lib/selection'
import { Dialog } from '@/shared/ui/Drawer'
import { ProgressBar } from '@/shared/ui/JobProgress'
import { Alert, Button, Input, Segmented, Select } from '@/shared/ui/kit'
import { useErrorText } from '@/shared/ui/states'
import { reassign, reassignmentQuery, reassignPreview, staffQuery, undoReassignment } from '../queries'
import css from './BulkReassign.module.css'

type Mode = 'staff' | 'nobody'

/** Gives the chosen contacts to other owners, however many they are: the server does the work. */
export function BulkReassign({ selection }: { selection: ContactSelection }) {
  const { t } = useTranslation('care')
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button size="small" icon={<UserRoundPen size={14} aria-hidden />} onClick={() => setOpen(true)}>
        {t('reassign.do')}
      </Button>
      {open && <ReassignDialog selection={selection} onClose={() => setOpen(false)} />}
    </>
  )
}

function ReassignDialog({ selection, onClose }: { selection: ContactSelection; onClose: () => void }) {
  const { t } = useTranslation('care')
  // Those who were chosen when the dialog opened; the list behind it may refresh.
  const [who] = useState(selection)
  const [run, setRun] = useState<Reassignment>()
  const close = () => {
    onClose()
    if (run) selection.done()
  }
  return (
    <Dialog open onClose={close} title={t('reassign.title', { count: who.count })}>
      {run ? <Running started={run} onClose={close} /> : <Choosing who={who} onClose={close} onStart={setRun} />}
    </Dialog>
  )
}

/** To whom, why, and how many that are. */
function Choosing({ who, onClose, onStart }: { who: ContactSelection; onClose: () => void; onStart: (run: Reassignment) => void }) {
  const { t } = useTranslation(['care', 'common'])
  const say = useErrorText()
  const staff = useQuery(staffQuery())
  const [mode, setMode] = useState<Mode>('staff')
  const [to, setTo] = useState<string[]>([])
  const [reason, setReason] = useState('')
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<unknown>()
  const preview = useQuery(reassignPreview(who.body))
  const total = preview.data?.total
  const ready = total !== undefined && total > 0 && (mode === 'nobody' || to.length > 0)
  const start = async () => {
    setBusy(true)
    setFailure(undefined)
    try {
      onStart(await reassign(who.body, mode === 'nobody' ? [] : to, reason.trim()))
    } catch (error) {
      setFailure(error)
      setBusy(false)
    }
  }
  const wrong = failure ?? preview.error ?? staff.error
  return (
    <div className={css.form}>
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
        <label className={css.field}>
          {t('reassign.to')}
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
        </label>
      )}
      <label className={css.field}>
        {t('reassign.reason')}
        <Input value={reason} maxLength={200} onChange={(e) => setReason(e.target.value)} />
      </label>
      <div role="status" aria-live="polite" className={css.preview}>
        {total === undefined ? !wrong && t('reassign.counting') : <b>{mode === 'nobody' ? t('reassign.willNobody', { count: total }) : t('reassign.will', { count: total })}</b>}
        {mode === 'staff' && to.length > 1 && total !== undefined && <span>{t('reassign.evenly', { count: to.length })}</span>}
      </div>
      {wrong ? <Alert type="error" showIcon role="alert" title={say(wrong).detail} /> : null}
      <div className={css.actions}>
        <Button onClick={onClose}>{t('common:action.cancel')}</Button>
        <Button type="primary" loading={busy} disabled={!ready} onClick={() => void start()}>
          {t('reassign.run', { count: total ?? who.count })}
        </Button>
      </div>
    </div>
  )
}

/** How the work goes, and its undo. Closing the dialog does not stop it. */
function Running({ started, onClose }: { started: Reassignment; onClose: () => void }) {
  const { t } = useTranslation('care')
  const { lang } = usePrefs()
  const say = useErrorText()
  const client = useQueryClient()
  const [failure, setFailure] = useState<unknown>()
  const { data: run = started } = useQuery(reassignmentQuery(started.id))
  const going = run.state === 'queued' || run.state === 'running'
  useEffect(() => {
    if (!going) void client.invalidateQueries({ queryKey: ['contacts'] })
  }, [client, going])
  const undo = async () => {
    setFailure(undefined)
    try {
      client.setQueryData(reassignmentQuery(run.id).queryKey, await undoReassignment(run.id))
      void client.invalidateQueries({ queryKey: reassignmentQuery(run.id).queryKey })
    } catch (error) {
      setFailure(error)
    }
  }
  return (
    <div className={css.form}>
      <div role="status" className={css.preview}>
        {going && <ProgressBar label={run.undoes ? t('reassign.undoing') : t('reassign.running')} done={run.seen} total={run.total} lang={lang} />}
        {!going && <b>{run.undoes ? t('reassign.undone', { count: run.undone }) : t('reassign.done', { count: run.moved })}</b>}
        {!going && run.undoes && run.undone < run.moved && <span>{t('reassign.kept', { count: run.moved - run.undone })}</span>}
        {(run.state === 'failed' || run.state === 'cancelled') && <span>{t('reassign.stopped')}</span>}
      </div>
      {failure !== undefined && <Alert type="error" showIcon role="alert" title={say(failure).detail} />}
      <div className={css.actions}>
        {!going && !run.undoes && run.moved > 0 && (
          <Button icon={<Undo2 size={14} aria-hidden />} onClick={() => void undo()}>
            {t('reassign.undo')}
          </Button>
        )}
        <Button type="primary" onClick={onClose}>
          {t('reassign.close')}
        </Button>
      </div>
    </div>
  )
}
