import { useInfiniteQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { Panel } from '@/shared/ui/Panel'
import { Person } from '@/shared/ui/values'
import { matchesPage } from '../queries'
import css from './ContactMatches.module.css'
import { Evidence } from './Sides'

/** Who may be the same person, on a contact's page; nothing when there is nobody. */
export function ContactMatches({ contact }: { contact: string }) {
  const { t } = useTranslation('matches')
  const { queryKey, page } = matchesPage({ contact, limit: 5 })
  const list = useInfiniteQuery({ queryKey, queryFn: ({ signal }) => page(undefined, signal), initialPageParam: undefined, getNextPageParam: () => undefined })
  const first = list.data?.pages[0]
  if (!first || first.items.length === 0) return null
  return (
    <Panel title={t('panel.title')} desc={t('panel.desc')} extra={<Link to={`/matches?contact=${contact}`}>{t('panel.review')}</Link>}>
      <ul className={css.list}>
        {first.items.map((p) => {
          const other = p.a.id === contact ? p.b : p.a
          const best = [...p.evidence].sort((x, y) => y.bits - x.bits).slice(0, 2)
          return (
            <li key={p.id}>
              <Link to={`/contacts/${other.id}`}>
                <Person name={other.name || t('unnamed')} sub={t('panel.score', { score: p.score })} />
              </Link>
              <div>
                {best.map((e) => (
                  <Evidence key={e.field} evidence={e} />
                ))}
              </div>
            </li>
          )
        })}
      </ul>
      {first.total > first.items.length && <p className="kp-muted">{t('panel.more', { count: first.total - first.items.length })}</p>}
    </Panel>
  )
}
