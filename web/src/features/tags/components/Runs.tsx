import { useQueryClient } from '@tanstack/react-query'
import { Download, Square, Undo2 } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { useCursorList } from '@/shared/api/cursor'
import type { TagRun } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { JobStateTag, ProgressBar } from '@/shared/ui/JobProgress'
import { Button } from '@/shared/ui/kit'
import { Empty } from '@/shared/ui/states'
import { DateTime } from '@/shared/ui/values'
import { cancelRun, runsPage, undoRun } from '../queries'
import { useTagWork } from './useTagWork'

const going = (r: TagRun) => r.state === 'queued' || r.state === 'running' || r.undoing

/** What was done to the tags of many, and its undo. */
export function Runs() {
  const { t } = useTranslation('tags')
  const { lang } = usePrefs()
  const client = useQueryClient()
  const mayGive = useCan('contact.write')
  const mayManage = useCan('tag.write')
  const mayFile = useCan('import.read')
  const { confirm, toast } = useTagWork()
  const list = useCursorList({ queryKey: ['tags', 'runs'], page: runsPage, refetchInterval: 2000 })
  const refresh = () => client.invalidateQueries({ queryKey: ['tags'] })
  const undo = (r: TagRun) =>
    confirm({ title: t('runs.undoTitle', { title: r.title }), body: t('runs.undoBody'), ok: t('runs.undo'), danger: true, run: () => undoRun(r.id) }).then(() => refresh())
  const stop = async (r: TagRun) => {
    try {
      await cancelRun(r.id)
    } catch (error) {
      toast.failed(error)
    }
    await refresh()
  }
  const may = (r: TagRun) => (r.kind === 'bulk' || r.kind === 'file' ? mayGive : mayGive && mayManage)
  const columns: Column<TagRun>[] = [
    {
      key: 'title',
      title: t('runs.what'),
      render: (r) => (
        <span>
          <b className="kp-strong">{r.title}</b>
          <br />
          <small className="kp-muted">
            {t(`runs.kind.${r.kind}`)} · {r.by.name}
          </small>
        </span>
      ),
    },
    { key: 'at', title: t('runs.when'), render: (r) => <DateTime at={r.createdAt} /> },
    { key: 'state', title: t('runs.state'), width: 220, render: (r) => <State run={r} lang={lang} /> },
    { key: 'people', title: t('runs.people'), align: 'right', render: (r) => formatInt(r.people, lang) },
    {
      key: 'do',
      title: '',
      align: 'right',
      render: (r) => (
        <span className="kp-row">
          {r.missing > 0 && mayFile && (
            <Button size="small" type="text" icon={<Download size={14} aria-hidden />} href={`/api/tag-runs/${r.id}/missing`}>
              {t('runs.missing', { count: r.missing })}
            </Button>
          )}
          {going(r) && may(r) && (
            <Button size="small" icon={<Square size={12} aria-hidden />} onClick={() => void stop(r)}>
              {t('runs.stop')}
            </Button>
          )}
          {r.undoUntil && may(r) && (
            <Button size="small" icon={<Undo2 size={14} aria-hidden />} onClick={() => void undo(r)}>
              {t('runs.undo')}
            </Button>
          )}
        </span>
      ),
    },
  ]
  return <DataTable label={t('runs.title')} list={list} columns={columns} rowKey={(r) => r.id} empty={<Empty title={t('runs.empty')} desc={t('runs.emptyDesc')} />} />
}

function State({ run, lang }: { run: TagRun; lang: string }) {
  const { t } = useTranslation('tags')
  if (run.undoing) return <span>{t('runs.undoing')}</span>
  if (going(run)) return <ProgressBar label={run.title} done={run.seen} total={run.total} lang={lang} />
  if (run.undoneAt)
    return (
      <span>
        {t('runs.undone', { count: run.restored })} {run.kept > 0 && <small className="kp-muted">{t('runs.kept', { count: run.kept })}</small>}
      </span>
    )
  return (
    <span>
      <JobStateTag state={run.state} /> {run.error && <small className="kp-muted">{run.error}</small>}
    </span>
  )
}
