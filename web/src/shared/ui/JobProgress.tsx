import { useTranslation } from 'react-i18next'
import type { Job, JobState } from '../api/types'
import { formatInt } from '../lib/format'
import { usePrefs } from '../lib/prefs'
import { StatusDot, type Tone } from './chips'

const TONES: Record<JobState, Tone> = { queued: 'neutral', running: 'info', succeeded: 'good', failed: 'bad', cancelled: 'warn' }

/** The state of a job as a mark and a word. */
export function JobStateTag({ state }: { state: JobState }) {
  const { t } = useTranslation()
  return (
    <StatusDot tone={TONES[state]} pulse={state === 'running'}>
      {t(`job.${state}`)}
    </StatusDot>
  )
}

/** How far a job has come: a bar while it runs, its state after. */
export function JobProgress({ job }: { job: Pick<Job, 'state' | 'done' | 'total' | 'title' | 'error'> }) {
  const { lang } = usePrefs()
  if (job.state !== 'running' && job.state !== 'queued') {
    return (
      <span className="kp-row wrap">
        <JobStateTag state={job.state} />
        {job.error && <span className="kp-muted">{job.error.detail}</span>}
      </span>
    )
  }
  return <ProgressBar label={job.title} done={job.done} total={job.total} lang={lang} />
}

/** A bar with the numbers behind it. A total of 0 means it is not known yet. */
export function ProgressBar({ label, done, total, lang }: { label: string; done: number; total: number; lang: string }) {
  const share = total > 0 ? Math.min(1, done / total) : undefined
  return (
    <span className="kp-progress">
      <Bar label={label} share={share} />
      <small className="kp-muted kp-num">
        {share !== undefined && <b>{Math.floor(share * 100)}%</b>} {formatInt(done, lang)}
        {total > 0 && ` / ${formatInt(total, lang)}`}
      </small>
    </span>
  )
}

/** The bar alone. Without a share it only shows that something goes on. */
export function Bar({ label, share }: { label: string; share: number | undefined }) {
  return (
    <span
      className={share === undefined ? 'kp-bar unknown' : 'kp-bar'}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={share === undefined ? undefined : Math.floor(share * 100)}
    >
      <i style={{ width: share === undefined ? '30%' : `${share * 100}%` }} />
    </span>
  )
}
