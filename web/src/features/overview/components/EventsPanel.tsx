import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Overview } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { Count } from '@/shared/ui/values'
import { peopleLink, type Scope } from '../links'
import css from './EventsPanel.module.css'

interface Props {
  events: Overview['events']
  scope: Scope
}

/** The events that happen most, each opening who did it. */
export function EventsPanel({ events, scope }: Props) {
  const { t } = useTranslation('overview')
  const mayLive = useCan('facts.read')
  const top = Math.max(1, ...events.map((e) => e.count))
  return (
    <Panel title={t('events.title')} className={css.panel} extra={mayLive && <Link to="/live">{t('events.live')}</Link>}>
      {events.length === 0 ? (
        <Empty title={t('events.empty')} desc={t('events.emptyDesc')} />
      ) : (
        <ol className={css.list}>
          {events.map((e) => (
            <li key={e.name}>
              <Link to={peopleLink(`event:${e.name}`, scope)} aria-label={t('events.open', { name: e.displayName || e.name, people: e.people })}>
                <span className={css.name} title={e.name}>
                  {e.displayName || e.name}
                </span>
                <b>
                  <Count value={e.count} />
                </b>
                <span className={css.people}>{t('events.people', { people: e.people })}</span>
                <i aria-hidden>
                  <b style={{ width: `${(e.count / top) * 100}%` }} />
                </i>
              </Link>
            </li>
          ))}
        </ol>
      )}
    </Panel>
  )
}
