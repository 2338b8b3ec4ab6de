import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { Panel } from '@/shared/ui/Panel'
import { QueryState } from '@/shared/ui/states'
import { segmentsOfQuery } from '../queries'
import css from './segments.module.css'

/** The segments that a contact is in, each with the way to why. */
export function ContactSegments({ contact }: { contact: string }) {
  const { t } = useTranslation('segments')
  const query = useQuery(segmentsOfQuery(contact))
  return (
    <Panel title={t('mine.title')}>
      <QueryState query={query} height={40}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="kp-muted">{t('mine.none')}</p>
          ) : (
            <ul className={css.mine} aria-label={t('mine.title')}>
              {items.map((s) => (
                <li key={s.id}>
                  <Link to={`/segments/${s.id}`}>{s.name}</Link>
                  {s.kind === 'dynamic' && (
                    <Link className="kp-muted" to={`/segments/${s.id}?tab=why&person=${contact}`} aria-label={t('mine.whyIn', { name: s.name })}>
                      {t('mine.why')}
                    </Link>
                  )}
                </li>
              ))}
            </ul>
          )
        }
      </QueryState>
    </Panel>
  )
}
