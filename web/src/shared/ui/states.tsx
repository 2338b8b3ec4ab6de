import { CloudOff, Inbox, Lock, RotateCw, SearchX, ServerCrash, WifiOff } from 'lucide-react'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError, isDenied, isNotFound, NetworkError } from '../api/errors'
import { Button, Skeleton } from './kit'

const ICON = { size: 26, strokeWidth: 1.5, 'aria-hidden': true } as const

interface EmptyProps {
  title: string
  /** What to do first. */
  desc?: ReactNode
  action?: ReactNode
  icon?: ReactNode
  /** The title is the page's own heading. */
  page?: boolean
}

/** Nothing here yet: says so, and says what to do first. */
export function Empty({ title, desc, action, icon, page }: EmptyProps) {
  const Heading = page ? 'h1' : 'h2'
  return (
    <div className="kp-state">
      <span className="kp-state-icon">{icon ?? <Inbox {...ICON} />}</span>
      <Heading>{title}</Heading>
      {desc && <p>{desc}</p>}
      {action && <div className="kp-row wrap">{action}</div>}
    </div>
  )
}

/** A filter that lets nothing through, with the way out. */
export function NoMatches({ onClear }: { onClear?: () => void }) {
  const { t } = useTranslation()
  return (
    <Empty
      icon={<SearchX {...ICON} />}
      title={t('state.noMatches')}
      desc={t('state.noMatchesDesc')}
      action={onClear && <Button onClick={onClear}>{t('action.clearFilters')}</Button>}
    />
  )
}

/** The signed-in user may not see this. */
export function Denied({ detail }: { detail?: string }) {
  const { t } = useTranslation()
  return (
    <div className="kp-state" role="alert">
      <span className="kp-state-icon warn">
        <Lock {...ICON} />
      </span>
      <h2>{t('state.denied')}</h2>
      <p>{detail || t('state.deniedDesc')}</p>
    </div>
  )
}

/** What went wrong, in words, for any failure. */
export function useErrorText(): (error: unknown) => { title: string; detail: string; requestId?: string } {
  const { t } = useTranslation()
  return (error) => {
    if (error instanceof NetworkError) return { title: t('state.offline'), detail: t('state.offlineDesc') }
    if (error instanceof ApiError) {
      const title = isNotFound(error) ? t('state.notFound') : t('state.failed')
      return { title, detail: error.detail || t('state.unreadable', { status: error.status }), requestId: error.requestId }
    }
    return { title: t('state.broken'), detail: t('state.brokenDesc') }
  }
}

/** A failure: what happened, the request id to pass on, and another try. Denials read as denials. */
export function ErrorState({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { t } = useTranslation()
  const say = useErrorText()
  if (isDenied(error)) return <Denied detail={error instanceof ApiError ? error.detail : undefined} />
  const { title, detail, requestId } = say(error)
  const Icon = error instanceof NetworkError ? WifiOff : error instanceof ApiError ? CloudOff : ServerCrash
  return (
    <div className="kp-state" role="alert">
      <span className="kp-state-icon bad">
        <Icon {...ICON} />
      </span>
      <h2>{title}</h2>
      <p>{detail}</p>
      {requestId && (
        <code>
          {t('state.requestId')} {requestId}
        </code>
      )}
      {onRetry && (
        <Button icon={<RotateCw size={15} aria-hidden />} onClick={onRetry}>
          {t('action.retry')}
        </Button>
      )}
    </div>
  )
}

/** Grey lines where text or a chart will be, of the height it will have. */
export function Loading({ height = 240 }: { height?: number }) {
  const { t } = useTranslation()
  return (
    <div style={{ height, overflow: 'hidden' }} role="status" aria-label={t('state.loading')}>
      <Skeleton active title={{ width: '30%' }} paragraph={{ rows: Math.max(1, Math.floor(height / 40) - 1) }} />
    </div>
  )
}

interface QueryLike<T> {
  data: T | undefined
  error: unknown
  isPending: boolean
  refetch: () => unknown
}

/** Shows a query's loading, error and denied states, and the children once there is data. */
export function QueryState<T>({ query, height, children }: { query: QueryLike<T>; height?: number; children: (data: T) => ReactNode }) {
  if (query.data !== undefined) return children(query.data)
  if (query.error) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />
  return <Loading height={height} />
}
