import { Download, RotateCw, Square } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useCursorList } from '@/shared/api/cursor'
import type { Job, JobState } from '@/shared/api/types'
import { codeText } from '@/shared/i18n/code'
import { formatSeconds } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { useUrlChoice } from '@/shared/lib/url'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { useConfirm, useToast } from '@/shared/ui/feedback'
import { FilterBar, FilterPills } from '@/shared/ui/FilterBar'
import { JobProgress } from '@/shared/ui/JobProgress'
import { Button } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { DateTime, None } from '@/shared/ui/values'
import { cancelJob, jobsPage, retryJob } from '../queries'

const STATES: readonly JobState[] = ['queued', 'running', 'succeeded', 'failed', 'cancelled']
/** How often the list looks again, so that progress moves without a reload. */
const WATCH_MS = 2000
/** Work of which there is one kind of thing to do: its title is a word of the server's own. */
const NAMELESS = new Set(['attribute.survey', 'consent_check', 'identity.carriers', 'match.run', 'keys_reseal'])

/** Long work: what runs, how far it is, and what came of it. */
export default function JobsPage() {
  const { t } = useTranslation(['jobs', 'common'])
  const { lang } = usePrefs()
  const may = useCan('jobs.write')
  const toast = useToast()
  const confirm = useConfirm()
  const [state, setState] = useUrlChoice('state', STATES)
  const list = useCursorList({
    queryKey: ['jobs', 'list', state],
    page: jobsPage(state),
    refetchInterval: WATCH_MS,
  })

  const stop = (job: Job) =>
    confirm({ title: t('stop.title', { title: job.title }), body: t('stop.body'), ok: t('stop.ok'), danger: true, run: () => cancelJob(job.id) }).then((done) => {
      if (done) list.refetch()
    })
  const again = async (job: Job) => {
    try {
      await retryJob(job.id)
      toast.done(t('retry.done'))
    } catch (error) {
      toast.failed(error)
    }
    list.refetch()
  }
  const columns: Column<Job>[] = [
    {
      key: 'title',
      title: t('column.title'),
      render: (j) => {
        const kind = codeText('jobs', 'kind', j.kind.replace('.', '_'))
        const name = NAMELESS.has(j.kind) ? kind : j.title
        return (
          <span>
            {j.link ? (
              <Link className="kp-strong" to={j.link}>
                {name}
              </Link>
            ) : (
              <b className="kp-strong">{name}</b>
            )}
            {name !== kind && (
              <>
                <br />
                <small className="kp-muted">{kind}</small>
              </>
            )}
          </span>
        )
      },
    },
    { key: 'state', title: t('column.state'), width: 280, render: (j) => <JobProgress job={j} /> },
    { key: 'by', title: t('column.by'), render: (j) => j.createdBy.name || <None /> },
    { key: 'at', title: t('column.at'), render: (j) => <DateTime at={j.createdAt} /> },
    { key: 'took', title: t('column.took'), align: 'right', render: (j) => <Took job={j} lang={lang} /> },
    {
      key: 'do',
      title: '',
      align: 'right',
      render: (j) => (
        <span className="kp-row">
          {j.hasFile && (
            <Button size="small" icon={<Download size={14} aria-hidden />} href={`/api/jobs/${j.id}/file`}>
              {t('download')}
            </Button>
          )}
          {may && (j.state === 'running' || j.state === 'queued') && (
            <Button size="small" icon={<Square size={13} aria-hidden />} onClick={() => void stop(j)}>
              {t('stop.ok')}
            </Button>
          )}
          {may && (j.state === 'failed' || j.state === 'cancelled') && (
            <Button size="small" icon={<RotateCw size={14} aria-hidden />} onClick={() => void again(j)}>
              {t('retry.ok')}
            </Button>
          )}
        </span>
      ),
    },
  ]
  return (
    <Page>
      <PageHead title={t('title')} desc={t('desc')} />
      <Panel flush>
        <FilterBar active={state !== undefined} onClear={() => setState(undefined)}>
          <FilterPills label={t('column.state')} value={state} onChange={setState} options={STATES.map((s) => ({ value: s, label: t(`common:job.${s}`) }))} />
        </FilterBar>
        <DataTable
          label={t('title')}
          list={list}
          columns={columns}
          rowKey={(j) => j.id}
          filtered={state !== undefined}
          onClearFilters={() => setState(undefined)}
          empty={<Empty title={t('empty.title')} desc={t('empty.desc')} />}
        />
      </Panel>
    </Page>
  )
}

function Took({ job, lang }: { job: Job; lang: string }) {
  if (!job.startedAt || !job.finishedAt) return <None />
  const seconds = Math.max(0, (Date.parse(job.finishedAt) - Date.parse(job.startedAt)) / 1000)
  return <span className="kp-num">{formatSeconds(seconds, lang)}</span>
}
