import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Hand } from 'lucide-react'
import { useState, type CSSProperties } from 'react'
import { useTranslation } from 'react-i18next'
import type { Contact, Standing } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { useToast } from '@/shared/ui/feedback'
import { Button } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { QueryState } from '@/shared/ui/states'
import { DateTime, TimeAgo } from '@/shared/ui/values'
import type { MachineName } from '../machine'
import { release, standingQuery } from '../queries'
import css from './lifecycle.module.css'
import { PlaceDialog } from './PlaceDialog'

type State = NonNullable<Contact['stage']>

/** In which stage and pool a contact is, since when and through whom; moves it by hand, and lets it go again. */
export function ContactStanding({ contact }: { contact: Contact }) {
  const { t } = useTranslation('lifecycle')
  return (
    <Panel title={t('standing.title')}>
      <div className={css.standing}>
        <One machine="lifecycle" contact={contact.id} state={contact.stage} />
        <One machine="pools" contact={contact.id} state={contact.pool} />
      </div>
    </Panel>
  )
}

function One({ machine, contact, state }: { machine: MachineName; contact: string; state?: State }) {
  const { t } = useTranslation('lifecycle')
  const may = [useCan('contact.write'), useCan('segment.read')].every(Boolean)
  const client = useQueryClient()
  const toast = useToast()
  const query = useQuery(standingQuery(machine, contact))
  const [moving, setMoving] = useState(false)
  const [busy, setBusy] = useState(false)
  const letGo = async () => {
    setBusy(true)
    try {
      await release(machine, contact)
      toast.done(t('standing.released'))
    } catch (error) {
      toast.failed(error)
    }
    await Promise.all([client.invalidateQueries({ queryKey: ['lifecycle'] }), client.invalidateQueries({ queryKey: ['contacts'] })])
    setBusy(false)
  }
  return (
    <section aria-label={t(`place.${machine}`)} className={css.one}>
      <header>
        <span className="kp-muted">{t(`place.${machine}`)}</span>
        {may && (
          <Button size="small" aria-label={t(`place.one.${machine}`)} onClick={() => setMoving(true)}>
            {t('place.move')}
          </Button>
        )}
      </header>
      {state ? (
        <p className={css.where} style={{ '--state': state.color } as CSSProperties}>
          <i className={css.dot} aria-hidden />
          <b>{state.name}</b>
          <small className="kp-muted">
            {t('standing.since')} <TimeAgo at={state.since} />
          </small>
        </p>
      ) : (
        <p className="kp-muted">{t('standing.nowhere')}</p>
      )}
      <QueryState query={query} height={24}>
        {(data) => (
          <>
            {data.pin && (
              <div className={css.pin}>
                <Hand size={14} aria-hidden />
                <p>
                  {t('standing.pinned', { name: data.pin.by.name || t('standing.somebody'), until: data.pin.until })}
                  {data.pin.note && <q>{data.pin.note}</q>}
                </p>
                {may && (
                  <Button size="small" loading={busy} onClick={() => void letGo()}>
                    {t('standing.release')}
                  </Button>
                )}
              </div>
            )}
            <Moves items={data.items ?? []} />
          </>
        )}
      </QueryState>
      {moving && <PlaceDialog machine={machine} contact={contact} at={state?.id} onClose={() => setMoving(false)} />}
    </section>
  )
}

/** The last moves, folded up. */
function Moves({ items }: { items: NonNullable<Standing['items']> }) {
  const { t } = useTranslation('lifecycle')
  if (items.length === 0) return null
  return (
    <details className={css.history}>
      <summary>{t('standing.moves', { count: items.length })}</summary>
      <ol>
        {items.map((m, i) => (
          <li key={i} style={{ '--state': m.color } as CSSProperties}>
            <i className={css.dot} aria-hidden />
            <span>
              {m.from} → <b>{m.to}</b>
              <small className="kp-muted">
                <DateTime at={m.at} /> · {m.by && m.reason === 'hand' ? t('standing.byHand', { name: m.by.name }) : t(`reason.${m.reason}`)}
              </small>
              {m.note && <q>{m.note}</q>}
            </span>
          </li>
        ))}
      </ol>
    </details>
  )
}
