import { useTranslation } from 'react-i18next'
import type { Contact } from '@/shared/api/types'
import { codeText } from '@/shared/i18n/code'
import { Money } from '@/shared/ui/values'
import css from './MergePanel.module.css'

/** One person of a preview: what is theirs. */
export function Side({ title, contact, notes }: { title: string; contact: Contact; notes?: number }) {
  const { t } = useTranslation('identity')
  return (
    <section className={css.side} aria-label={title}>
      <h3>{title}</h3>
      <b>{contact.name || t(contact.kind === 'visitor' ? 'story.aVisitor' : 'story.noName')}</b>
      <ul>
        {contact.identities.map((i) => (
          <li key={i.id}>
            {codeText('contacts', 'identity', i.kind)} {i.value}
          </li>
        ))}
        {contact.tags.length > 0 && <li>{t('side.tags', { names: contact.tags.map((g) => g.name).join(t('story.comma')) })}</li>}
        <li>
          {t('side.orders', { count: contact.orders })} {contact.orders > 0 && <Money value={contact.revenue} />}
        </li>
        <li>{t('side.facts', { count: contact.facts })}</li>
        {notes !== undefined && <li>{t('side.notes', { count: notes })}</li>}
      </ul>
    </section>
  )
}
