import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { Contact } from '@/shared/api/types'
import { Count, DateTime, Money, TimeAgo } from '@/shared/ui/values'
import css from './ValueStrip.module.css'

/** What the contact is worth so far. */
export function ValueStrip({ contact: c }: { contact: Contact }) {
  const { t } = useTranslation('contacts')
  const cells: [string, ReactNode][] = [
    [t('value.revenue'), <Money key="r" value={c.revenue} />],
    [t('value.orders'), <Count key="o" value={c.orders} />],
    [t('value.average'), <Money key="a" value={c.averageOrder} />],
    [t('value.firstOrder'), <DateTime key="f" at={c.firstOrderAt} dateOnly />],
    [t('value.lastOrder'), <DateTime key="l" at={c.lastOrderAt} dateOnly />],
    [t('value.facts'), <Count key="n" value={c.facts} />],
    [t('value.lastSeen'), <TimeAgo key="s" at={c.lastSeenAt} />],
  ]
  return (
    <dl className={css.strip}>
      {cells.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
