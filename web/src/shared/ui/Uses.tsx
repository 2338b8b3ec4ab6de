import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Use } from '@/shared/api/types'

interface Props {
  items: readonly Use[]
  /** Names without links, for where leaving the page is not wanted. */
  plain?: boolean
}

/** Where an attribute or a tag is used: saved views, mappings of imports and the like. */
export function Uses({ items, plain }: Props) {
  const { t } = useTranslation()
  if (items.length === 0) return <span className="kp-muted">{t('uses.none')}</span>
  const kinds: Record<string, string> = {
    view: t('uses.view'),
    mapping: t('uses.mapping'),
    autotag: t('uses.autotag'),
    segment: t('uses.segment'),
    stage: t('uses.stage'),
    pool: t('uses.pool'),
    webhook: t('uses.webhook'),
  }
  return (
    <ul className="kp-uses" aria-label={t('uses.label')}>
      {items.map((u, i) => (
        <li key={u.kind + (u.id ?? i)}>
          {kinds[u.kind] && <small className="kp-muted">{kinds[u.kind]}</small>} {u.link && !plain ? <Link to={u.link}>{u.name}</Link> : u.name}
        </li>
      ))}
    </ul>
  )
}
