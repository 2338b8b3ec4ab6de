import { useQueryClient } from '@tanstack/react-query'
import { Bell } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useNavigate } from 'react-router'
import type { Job } from '@/shared/api/types'
import { useToast } from '@/shared/ui/feedback'
import { JobProgress } from '@/shared/ui/JobProgress'
import { Button, Popover, Tooltip } from '@/shared/ui/kit'
import { Empty, ErrorState } from '@/shared/ui/states'
import { TimeAgo } from '@/shared/ui/values'
import { Told, useTold } from './Told'
import { isOver, useJobNotices } from './useJobNotices'

/** The bell: what runs for me, what has ended, and a note the moment something ends. */
export function Notices() {
  const { t } = useTranslation('app')
  const toast = useToast()
  const go = useNavigate()
  const client = useQueryClient()
  const [open, setOpen] = useState(false)
  const [unseen, setUnseen] = useState(0)
  const told = useTold().data
  const unread = told?.unread ?? 0

  const { jobs, query, may } = useJobNotices((job) => {
    if (!open) setUnseen((n) => n + 1)
    const link = job.link
    toast.notice({
      key: job.id,
      kind: job.state === 'succeeded' ? 'success' : job.state === 'failed' ? 'error' : 'info',
      title: t(`notices.ended.${endState(job)}`, { title: job.title }),
      detail: job.error?.detail,
      action: link && (
        <Button
          size="small"
          type="primary"
          onClick={() => {
            toast.close(job.id)
            void go(link)
          }}
        >
          {t('notices.open')}
        </Button>
      ),
    })
    // What the job made is not on screen yet: everything that is may be out of date.
    void client.invalidateQueries({ predicate: (q) => q.queryKey[0] !== 'session' && q.queryKey[1] !== 'notices' })
  })
  const running = jobs.filter((j) => !isOver(j)).length
  const label = running > 0 ? t('notices.running', { count: running }) : unread > 0 ? t('told.unread', { count: unread }) : unseen > 0 ? t('notices.unseen', { count: unseen }) : t(may ? 'notices.title' : 'told.title')
  const toggle = (next: boolean) => {
    setOpen(next)
    if (next) setUnseen(0)
  }
  return (
    <Popover
      trigger="click"
      placement="bottomRight"
      open={open}
      onOpenChange={toggle}
      content={
        <section className="kp-notices" aria-label={t('notices.title')}>
          <Told items={told?.items ?? []} unread={unread} onGo={() => setOpen(false)} />
          {may && (
            <header>
              <b>{t('notices.title')}</b>
              <Link to="/jobs" onClick={() => setOpen(false)}>
                {t('notices.all')}
              </Link>
            </header>
          )}
          {!may ? null : query.error && jobs.length === 0 ? (
            <ErrorState error={query.error} onRetry={() => void query.refetch()} />
          ) : jobs.length === 0 ? (
            <Empty title={t('notices.empty')} desc={t('notices.emptyDesc')} />
          ) : (
            <ul>
              {jobs.slice(0, 8).map((job) => (
                <li key={job.id}>
                  <Link to={job.link ?? '/jobs'} onClick={() => setOpen(false)}>
                    {job.title}
                  </Link>
                  <TimeAgo at={job.finishedAt ?? job.startedAt ?? job.createdAt} />
                  <JobProgress job={job} />
                </li>
              ))}
            </ul>
          )}
        </section>
      }
    >
      <Tooltip title={open ? undefined : label}>
        <span className="kp-bell">
          <Button type="text" aria-label={label} aria-expanded={open} icon={<Bell size={18} aria-hidden />} />
          {(running > 0 || unseen > 0 || unread > 0) && <i className={running > 0 ? 'busy' : undefined} aria-hidden />}
        </span>
      </Tooltip>
    </Popover>
  )
}

function endState(job: Job): 'succeeded' | 'failed' | 'cancelled' {
  return job.state === 'succeeded' || job.state === 'failed' ? job.state : 'cancelled'
}
