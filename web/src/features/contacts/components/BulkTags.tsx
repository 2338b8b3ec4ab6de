import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Tags, Undo2 } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { TagRun, TagWork } from '@/shared/api/types'
import { usePrefs } from '@/shared/lib/prefs'
import type { ContactSelection } from '@/shared/lib/selection'
import { Dialog } from '@/shared/ui/Drawer'
import { ProgressBar } from '@/shared/ui/JobProgress'
import { Alert, Button, Segmented } from '@/shared/ui/kit'
import { useErrorText } from '@/shared/ui/states'
import { bulkTags, cancelTagRun, CONTACTS_KEY, tagPreviewQuery, tagRunQuery, undoTagRun } from '../queries'
import css from './BulkTags.module.css'
import { TagSelect } from './TagSelect'

type Mode = 'add' | 'remove'

/** Tags the chosen contacts, however many they are: the server does the work. */
export function BulkTags({ selection }: { selection: ContactSelection }) {
  const { t } = useTranslation('contacts')
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button size="small" type="primary" icon={<Tags size={14} aria-hidden />} onClick={() => setOpen(true)}>
        {t('bulk.tag')}
      </Button>
      {open && <BulkDialog selection={selection} onClose={() => setOpen(false)} />}
    </>
  )
}

function BulkDialog({ selection, onClose }: { selection: ContactSelection; onClose: () => void }) {
  const { t } = useTranslation('contacts')
  // Those who were chosen when the dialog opened; the list behind it may refresh.
  const [who] = useState(selection)
  const [run, setRun] = useState<TagRun>()
  const close = () => {
    onClose()
    if (run) selection.done()
  }
  return (
    <Dialog open onClose={close} title={t('bulk.title', { count: who.count })}>
      {run ? <Running started={run} onClose={close} /> : <Choosing who={who} onClose={close} onStart={setRun} />}
    </Dialog>
  )
}

/** Which tags to give or take, and what that would change. */
function Choosing({ who, onClose, onStart }: { who: ContactSelection; onClose: () => void; onStart: (run: TagRun) => void }) {
  const { t } = useTranslation(['contacts', 'common'])
  const say = useErrorText()
  const [mode, setMode] = useState<Mode>('add')
  const [tags, setTags] = useState<string[]>([])
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<unknown>()
  const work: TagWork = { selection: who.body, [mode]: tags }
  const preview = useQuery(tagPreviewQuery(work, tags.length > 0))
  const start = async () => {
    setBusy(true)
    setFailure(undefined)
    try {
      onStart(await bulkTags(work))
    } catch (error) {
      setFailure(error)
      setBusy(false)
    }
  }
  const wrong = failure ?? preview.error
  const p = preview.data
  return (
    <div className={css.form}>
      <Segmented<Mode>
        block
        value={mode}
        onChange={setMode}
        options={[
          { value: 'add', label: t('bulk.add') },
          { value: 'remove', label: t('bulk.remove') },
        ]}
      />
      <TagSelect value={tags} onChange={setTags} autoFocus />
      <div role="status" aria-live="polite" className={css.preview}>
        {tags.length > 0 && !wrong && !p && t('bulk.counting')}
        {tags.length > 0 && p && (
          <>
            <b>{t('bulk.changing', { count: p.changing, total: p.total })}</b>
            {p.tags
              .filter((x) => x.replaces)
              .map((x) => (
                <span key={x.tag.id}>{t('bulk.replaces', { count: x.replaces, group: x.tag.group })}</span>
              ))}
          </>
        )}
      </div>
      {wrong ? <Alert type="error" showIcon role="alert" title={say(wrong).detail} /> : null}
      <div className={css.actions}>
        <Button onClick={onClose}>{t('common:action.cancel')}</Button>
        <Button type="primary" loading={busy} disabled={tags.length === 0 || !p || p.changing === 0} onClick={() => void start()}>
          {mode === 'add' ? t('bulk.runAdd', { count: p?.changing ?? who.count }) : t('bulk.runRemove', { count: p?.changing ?? who.count })}
        </Button>
      </div>
    </div>
  )
}

/** How the work goes, and its undo. Closing the dialog does not stop it. */
function Running({ started, onClose }: { started: TagRun; onClose: () => void }) {
  const { t } = useTranslation('contacts')
  const { lang } = usePrefs()
  const say = useErrorText()
  const client = useQueryClient()
  const [failure, setFailure] = useState<unknown>()
  const { data: run = started } = useQuery(tagRunQuery(started.id))
  const going = run.state === 'queued' || run.state === 'running' || run.undoing
  useEffect(() => {
    if (going) return
    void client.invalidateQueries({ queryKey: CONTACTS_KEY })
    void client.invalidateQueries({ queryKey: ['tags'] })
  }, [client, going])
  const act = async (work: (id: string) => Promise<TagRun>) => {
    setFailure(undefined)
    try {
      client.setQueryData(tagRunQuery(run.id).queryKey, await work(run.id))
      void client.invalidateQueries({ queryKey: tagRunQuery(run.id).queryKey })
    } catch (error) {
      setFailure(error)
    }
  }
  return (
    <div className={css.form}>
      <div role="status" className={css.preview}>
        {going && !run.undoing && <ProgressBar label={run.title} done={run.seen} total={run.total} lang={lang} />}
        {run.undoing && <span>{t('bulk.undoing')}</span>}
        {!going && !run.undoneAt && <b>{t('bulk.done', { count: run.people })}</b>}
        {run.undoneAt && <b>{t('bulk.undone', { count: run.restored })}</b>}
        {run.undoneAt && run.kept > 0 && <span>{t('bulk.kept', { count: run.kept })}</span>}
        {run.state === 'cancelled' && !run.undoneAt && <span>{t('bulk.stopped')}</span>}
      </div>
      {run.error && <Alert type="error" showIcon role="alert" title={run.error} />}
      {failure !== undefined && <Alert type="error" showIcon role="alert" title={say(failure).detail} />}
      <div className={css.actions}>
        {going && <Button onClick={() => void act(cancelTagRun)}>{t('bulk.stop')}</Button>}
        {run.undoUntil && (
          <Button icon={<Undo2 size={14} aria-hidden />} onClick={() => void act(undoTagRun)}>
            {t('bulk.undo')}
          </Button>
        )}
        <Button type="primary" onClick={onClose}>
          {t('bulk.close')}
        </Button>
      </div>
    </div>
  )
}
