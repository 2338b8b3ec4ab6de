import { useQueryClient } from '@tanstack/react-query'
import { Tags } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { ContactRow } from '@/shared/api/types'
import type { ContactSelection } from '@/shared/lib/selection'
import { Dialog } from '@/shared/ui/Drawer'
import { Alert, Button, Progress, Segmented } from '@/shared/ui/kit'
import { useErrorText } from '@/shared/ui/states'
import { BATCH_MAX, runBatch, type BatchState } from '../batch'
import { changeTags, CONTACTS_KEY } from '../queries'
import css from './BulkTags.module.css'
import { TagSelect } from './TagSelect'

type Mode = 'add' | 'remove'

/** Tags the chosen contacts, as long as they are on screen and not too many. */
export function BulkTags({ selection }: { selection: ContactSelection }) {
  const { t } = useTranslation('contacts')
  const [open, setOpen] = useState(false)
  const tooMany = selection.count > Math.min(BATCH_MAX, selection.rows.length)
  return (
    <>
      <Button size="small" type="primary" icon={<Tags size={14} aria-hidden />} disabled={tooMany} onClick={() => setOpen(true)}>
        {t('bulk.tag')}
      </Button>
      {tooMany && <span className="kp-muted">{t('bulk.tooMany', { max: BATCH_MAX })}</span>}
      {open && <BulkDialog rows={selection.rows} onClose={() => setOpen(false)} onDone={selection.done} />}
    </>
  )
}

/** Tags many contacts, one after the other, with progress and a true count at the end. */
function BulkDialog({ rows, onClose, onDone }: { rows: ContactRow[]; onClose: () => void; onDone: () => void }) {
  const { t } = useTranslation(['contacts', 'common'])
  const client = useQueryClient()
  const [mode, setMode] = useState<Mode>('add')
  const [tags, setTags] = useState<string[]>([])
  const [state, setState] = useState<BatchState<ContactRow>>()
  const [busy, setBusy] = useState(false)
  const stop = useRef<AbortController>(undefined)
  // The rows that were ticked when the dialog opened; the list behind it may refresh.
  const [people, setPeople] = useState(rows)
  useEffect(() => () => stop.current?.abort(), [])

  const run = async (who: ContactRow[]) => {
    stop.current = new AbortController()
    setBusy(true)
    setPeople(who)
    await runBatch(who, (r) => changeTags(r.id, { [mode]: tags }), { signal: stop.current.signal, onProgress: setState })
    setBusy(false)
    void client.invalidateQueries({ queryKey: CONTACTS_KEY })
    void client.invalidateQueries({ queryKey: ['tags'] })
  }
  const close = () => {
    onClose()
    if (state && !busy && state.failed.length === 0 && !state.stopped) onDone()
  }
  return (
    <Dialog open onClose={close} title={t('bulk.title', { count: people.length })} closable={!busy}>
      <div className={css.form}>
        <Segmented<Mode>
          block
          disabled={state !== undefined}
          value={mode}
          onChange={setMode}
          options={[
            { value: 'add', label: t('bulk.add') },
            { value: 'remove', label: t('bulk.remove') },
          ]}
        />
        {!state && <TagSelect value={tags} onChange={setTags} autoFocus />}
        {state && <Outcome state={state} busy={busy} />}
        <div className={css.actions}>
          {!state && (
            <>
              <Button onClick={close}>{t('common:action.cancel')}</Button>
              <Button type="primary" disabled={tags.length === 0} onClick={() => void run(rows)}>
                {mode === 'add' ? t('bulk.runAdd', { count: rows.length }) : t('bulk.runRemove', { count: rows.length })}
              </Button>
            </>
          )}
          {busy && <Button onClick={() => stop.current?.abort()}>{t('bulk.stop')}</Button>}
          {state && !busy && (
            <>
              {state.failed.length > 0 && <Button onClick={() => void run(state.failed.map((f) => f.item))}>{t('bulk.retry', { count: state.failed.length })}</Button>}
              <Button type="primary" onClick={close}>
                {t('bulk.close')}
              </Button>
            </>
          )}
        </div>
      </div>
    </Dialog>
  )
}

/** How many failures are named one by one. */
const NAMED = 5

function Outcome({ state, busy }: { state: BatchState<ContactRow>; busy: boolean }) {
  const { t } = useTranslation('contacts')
  const say = useErrorText()
  const tried = state.done + state.failed.length
  return (
    <div role="status">
      <Progress percent={Math.round((tried / Math.max(1, state.total)) * 100)} status={busy ? 'active' : state.failed.length ? 'exception' : state.stopped ? 'normal' : 'success'} />
      <p className={css.counts}>
        {t('bulk.done', { count: state.done })}
        {state.failed.length > 0 && <b>{t('bulk.failed', { count: state.failed.length })}</b>}
        {state.stopped && <span>{t('bulk.stopped', { count: state.total - tried })}</span>}
      </p>
      {!busy && state.failed.length > 0 && (
        <Alert
          type="error"
          title={
            <ul>
              {state.failed.slice(0, NAMED).map((f) => (
                <li key={f.item.id}>{t('bulk.failure', { name: f.item.name, why: say(f.error).detail })}</li>
              ))}
              {state.failed.length > NAMED && <li>{t('bulk.moreFailures', { count: state.failed.length - NAMED })}</li>}
            </ul>
          }
        />
      )}
    </div>
  )
}
