import { useQuery } from '@tanstack/react-query'
import { UserRoundSearch } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { Chip } from '@/shared/ui/chips'
import { Panel } from '@/shared/ui/Panel'
import { knownQuery } from '../queries'
import css from './sim.module.css'

/** The same person on the other side: what Koipond made of what it was told. */
export function Known({ external, name }: { external: string | undefined; name: string }) {
  const { t } = useTranslation('sim')
  const query = useQuery({ ...knownQuery(external ?? ''), enabled: !!external })
  const c = external ? query.data : null
  return (
    <Panel title={t('known.title')} desc={c ? undefined : t('known.desc', { name })} extra={c && <Link to={`/contacts/${c.id}`}>{t('known.open')}</Link>}>
      {c ? (
        <div className={css.known}>
          <b>{c.name || name}</b>
          <dl>
            <dt>{t('known.owner')}</dt>
            <dd>{c.owner?.name ?? t('known.nobody')}</dd>
            <dt>{t('known.tags')}</dt>
            <dd>{c.tags?.length ? c.tags.map((tag) => <Chip key={tag.id}>{tag.name}</Chip>) : t('known.noTags')}</dd>
          </dl>
        </div>
      ) : (
        <p className={css.unknown}>
          <UserRoundSearch size={18} strokeWidth={1.5} aria-hidden /> {t('known.none')}
        </p>
      )}
    </Panel>
  )
}
