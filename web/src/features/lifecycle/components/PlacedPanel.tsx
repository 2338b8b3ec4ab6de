import { useQueryClient } from '@tanstack/react-query'
import { useState, type CSSProperties } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useCursorList } from '@/shared/api/cursor'
import type { Placed } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { useToast } from '@/shared/ui/feedback'
import { Button } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { ErrorState, Loading } from '@/shared/ui/states'
import { DateTime } from '@/shared/ui/values'
import { handOf, type MachineName } from '../machine'
import { placedPage, release } from '../queries'
import css from './lifecycle.module.css'

/** Whom colleagues placed by hand, until when and why; each can be let go. */
export function PlacedPanel({ machine, total }: { machine: MachineName; total: number }) {
  const { t } = useTranslation('lifecycle')
  const list = useCursorList<Placed>(placedPage(machine))
  return (
    <Panel title={t('placed.title')} desc={t(`placed.desc.${machine}`)} extra={total > 0 && <Link to={handOf(machine)}>{t('placed.open', { count: total })}</Link>}>
      {list.error && list.items.length === 0 ? (
        <ErrorState error={list.error} onRetry={list.refetch} />
      ) : list.loading ? (
        <Loading height={60} />
      ) : list.items.length === 0 ? (
        <p className="kp-muted">{t('placed.none')}</p>
      ) : (
        <ul className={css.placed} aria-label={t('placed.title')}>
          {list.items.map((p) => (
            <One key={p.contact.id} machine={machine} placed={p} />
          ))}
        </ul>
      )}
      {list.hasMore && (
        <Button size="small" loading={list.loadingMore} onClick={list.loadMore}>
          {t('placed.more')}
        </Button>
      )}
    </Panel>
  )
}

function One({ machine, placed: p }: { machine: MachineName; placed: Placed }) {
  const { t } = useTranslation('lifecycle')
  const may = useCan('contact.write')
  const client = useQueryClient()
  const toast = useToast()
  const [busy, setBusy] = useState(false)
  const name = p.contact.name || p.contact.id
  const letGo = async () => {
    setBusy(true)
    try {
      await release(machine, p.contact.id)
      toast.done(t('standing.released'))
    } catch (error) {
      toast.failed(error)
    }
    await Promise.all([client.invalidateQueries({ queryKey: ['lifecycle'] }), client.invalidateQueries({ queryKey: ['contacts'] })])
    setBusy(false)
  }
  return (
    <li style={{ '--state': p.color || 'var(--muted)' } as CSSProperties}>
      <span className={css.who}>
        <Link to={`/contacts/${p.contact.id}`}>{name}</Link>
        <span>
          <i className={css.dot} aria-hidden />
          {p.label}
        </span>
      </span>
      <span className={css.why}>
        {t('placed.until', { until: p.until })}
        <small className="kp-muted">
          {p.by.name || t('standing.somebody')}
          {p.at && (
            <>
              {' · '}
              <DateTime at={p.at} />
            </>
          )}
          {p.note && <q>{p.note}</q>}
        </small>
      </span>
      {may && (
        <Button size="small" loading={busy} aria-label={t('placed.release', { name })} onClick={() => void letGo()}>
          {t('standing.release')}
        </Button>
      )}
    </li>
  )
}
