import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Tags, Undo2 } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { TagRun, TagWork } from '@/shared/api/types'
import { usePrefs } from '@/shared/lib/prefs'
import type { ContactSelection } from '@/shared/lib/selection'
import { BulkAction, BulkForm, useStep } from '@/shared/ui/BulkAction'
import { ProgressBar } from '@/shared/ui/JobProgress'
import { Alert, Button, Segmented } from '@/shared/ui/kit'
import { bulkTags, cancelTagRun, CONTACTS_KEY, tagPreviewQuery, tagRunQuery, undoTagRun } from '../queries'
import { TagSelect } from './TagSelect'

type Mode = 'add' | 'remove'

/** Tags the chosen contacts. */
export function BulkTags({ selection }: { selection: ContactSelection }) {
  const { t } = useTranslation('contacts')
  return (
    <BulkAction<TagRun>
      primary
      selection={selection}
      icon={<Tags size={14} aria-hidden />}
      label={t('bulk.tag')}
      title={(count) => t('bulk.title', { count })}
      choose={(p) => <Choosing {...p} />}
      follow={({ run, onClose }) => <Running started={run} onClose={onClose} />}
    />
  )
}

/** Which tags to give or take, and what that would change. */
function Choosing({ who, onClose, onStart }: { who: ContactSelection; onClose: () => void; onStart: (run: TagRun) => void }) {
  const { t } = useTranslation(['contacts', 'common'])
  const step = useStep()
  const [mode, setMode] = useState<Mode>('add')
  const [tags, setTags] = useState<string[]>([])
  const work: TagWork = { selection: who.body, [mode]: tags }
  const preview = useQuery(tagPreviewQuery(work, tags.length > 0))
  const start = () => step.take(async () => onStart(await bulkTags(work)))
  const wrong = step.failure ?? preview.error
  const p = preview.data
  return (
    <BulkForm
      wrong={wrong}
      onSubmit={() => void start()}
      told={
        tags.length > 0 && (
          <>
            {!wrong && !p && t('bulk.counting')}
            {p && <b>{t('bulk.changing', { count: p.changing, total: p.total })}</b>}
            {p?.tags
              .filter((x) => x.replaces)
              .map((x) => (
                <span key={x.tag.id}>{t('bulk.replaces', { count: x.replaces, group: x.tag.group })}</span>
              ))}
          </>
        )
      }
      actions={
        <>
          <Button onClick={onClose}>{t('common:action.cancel')}</Button>
          <Button type="primary" htmlType="submit" loading={step.busy} disabled={tags.length === 0 || !p || p.changing === 0}>
            {mode === 'add' ? t('bulk.runAdd', { count: p?.changing ?? who.count }) : t('bulk.runRemove', { count: p?.changing ?? who.count })}
          </Button>
        </>
      }
    >
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
    </BulkForm>
  )
}

/** How the work goes, and its undo. */
function Running({ started, onClose }: { started: TagRun; onClose: () => void }) {
  const { t } = useTranslation('contacts')
  const { lang } = usePrefs()
  const client = useQueryClient()
  const step = useStep()
  const { data: run = started } = useQuery(tagRunQuery(started.id))
  const going = run.state === 'queued' || run.state === 'running' || run.undoing
  useEffect(() => {
    if (going) return
    void client.invalidateQueries({ queryKey: CONTACTS_KEY })
    void client.invalidateQueries({ queryKey: ['tags'] })
  }, [client, going])
  const act = (work: (id: string) => Promise<TagRun>) =>
    step.take(async () => {
      client.setQueryData(tagRunQuery(run.id).queryKey, await work(run.id))
      void client.invalidateQueries({ queryKey: tagRunQuery(run.id).queryKey })
    })
  return (
    <BulkForm
      wrong={step.failure}
      told={
        <>
          {going && !run.undoing && <ProgressBar label={run.title} done={run.seen} total={run.total} lang={lang} />}
          {run.undoing && <span>{t('bulk.undoing')}</span>}
          {!going && !run.undoneAt && <b>{t('bulk.done', { count: run.people })}</b>}
          {run.undoneAt && <b>{t('bulk.undone', { count: run.restored })}</b>}
          {run.undoneAt && run.kept > 0 && <span>{t('bulk.kept', { count: run.kept })}</span>}
          {run.state === 'cancelled' && !run.undoneAt && <span>{t('bulk.stopped')}</span>}
          {run.error && <Alert type="error" showIcon role="alert" title={run.error} />}
        </>
      }
      actions={
        <>
          {going && (
            <Button loading={step.busy} onClick={() => void act(cancelTagRun)}>
              {t('bulk.stop')}
            </Button>
          )}
          {run.undoUntil && (
            <Button icon={<Undo2 size={14} aria-hidden />} loading={step.busy} onClick={() => void act(undoTagRun)}>
              {t('bulk.undo')}
            </Button>
          )}
          <Button type="primary" onClick={onClose}>
            {t('bulk.close')}
          </Button>
        </>
      }
    />
  )
}
