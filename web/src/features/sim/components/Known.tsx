import { useQuery } from '@tanstack/react-query'
import { UserRoundSearch } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { ContactRow } from '@/shared/api/types'
import { Chip } from '@/shared/ui/chips'
import { Panel } from '@/shared/ui/Panel'
import { Loading } from '@/shared/ui/states'
import { factsQuery, knownQuery } from '../queries'
import css from './sim.module.css'
import { Time } from './Time'

/** The same person on the other side: what Koipond made of what it was told. */
export function Known({ externals, name }: { externals: readonly string[]; name: string }) {
  const { t } = useTranslation('sim')
  const some = externals.length > 0
  const query = useQuery({ ...knownQuery(externals), enabled: some })
  const c = some ? query.data : null
  return (
    <Panel title={t('known.title')} desc={t('known.desc', { name })} extra={c && <Link to={`/contacts/${c.id}`}>{t('known.open')}</Link>}>
      {c ? (
        <Facts contact={c} />
      ) : some && query.isPending ? (
        <Loading height={80} />
      ) : (
        <p className={css.unknown}>
          <UserRoundSearch size={18} strokeWidth={1.5} aria-hidden /> {t('known.none')}
        </p>
      )}
    </Panel>
  )
}

/** How many facts are shown; the profile has them all. */
const SHOWN = 5

function Facts({ contact: c }: { contact: ContactRow }) {
  const { t } = useTranslation('sim')
  const facts = useQuery(factsQuery(c.id))
  return (
    <dl className={css.known}>
      {c.stage && (
        <>
          <dt>{t('known.stage')}</dt>
          <dd>{c.stage.name}</dd>
        </>
      )}
      <dt>{t('known.owner')}</dt>
      <dd>{c.owner?.name ?? t('known.nobody')}</dd>
      <dt>{t('known.tags')}</dt>
      <dd>{c.tags?.length ? c.tags.map((tag) => <Chip key={tag.id}>{tag.name}</Chip>) : t('known.noTags')}</dd>
      <dt>{t('known.facts')}</dt>
      <dd>
        <ul className={css.knownFacts}>
          {facts.data?.items?.slice(0, SHOWN).map((f) => (
            <li key={f.id}>
              {f.title || f.name} <Time at={f.timestamp} seconds />
            </li>
          ))}
        </ul>
      </dd>
    </dl>
  )
}
