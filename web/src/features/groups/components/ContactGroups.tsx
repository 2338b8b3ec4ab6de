import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useCan } from '@/shared/lib/session'
import { Chip } from '@/shared/ui/chips'
import { Panel } from '@/shared/ui/Panel'
import { QueryState } from '@/shared/ui/states'
import { DateTime } from '@/shared/ui/values'
import { contactGroupsQuery } from '../queries'
import css from './groups.module.css'

/** The WeCom groups that a contact is or was in. */
export function ContactGroups({ contact }: { contact: string }) {
  const { t } = useTranslation('groups')
  const mayOpen = useCan('acquire.read')
  const query = useQuery(contactGroupsQuery(contact))
  return (
    <Panel title={t('contact.title')}>
      <QueryState query={query} height={40}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="kp-muted">{t('contact.none')}</p>
          ) : (
            <ul className={css.stays} aria-label={t('contact.title')}>
              {items.map((g) => (
                <li key={`${g.account} ${g.id}`}>
                  <span className="kp-row wrap">
                    {mayOpen ? <Link to={`/groups/${encodeURIComponent(g.account)}/${encodeURIComponent(g.id)}`}>{g.name || t('unnamed')}</Link> : <b>{g.name || t('unnamed')}</b>}
                    {g.leftAt && <Chip>{t('contact.left')}</Chip>}
                    {g.state === 'dismissed' && <Chip>{t('state.dismissed')}</Chip>}
                  </span>
                  <small>
                    {t('ownedBy', { name: g.ownerName })} · {t('contact.joined')} <DateTime at={g.joinedAt} dateOnly />
                    {g.leftAt && (
                      <>
                        {' · '}
                        {t('contact.leftAt')} <DateTime at={g.leftAt} dateOnly />
                      </>
                    )}
                  </small>
                </li>
              ))}
            </ul>
          )
        }
      </QueryState>
    </Panel>
  )
}
