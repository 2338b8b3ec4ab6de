import { useQuery } from '@tanstack/react-query'
import { Eye, Search } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import type { Look } from '@/shared/api/types'
import { codeText } from '@/shared/i18n/code'
import { Panel } from '@/shared/ui/Panel'
import { QueryState } from '@/shared/ui/states'
import { TimeAgo } from '@/shared/ui/values'
import { looksQuery } from '../queries'
import css from './Looks.module.css'

/** Who saw personal values of a contact in full, or found it by one: colleagues see that looking is seen. */
export function Looks({ id }: { id: string }) {
  const { t } = useTranslation('contacts')
  const query = useQuery(looksQuery(id))
  return (
    <Panel title={t('looks.title')} desc={t('looks.desc')}>
      <QueryState query={query} height={60}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="kp-muted">{t('looks.empty')}</p>
          ) : (
            <ol className={css.looks} data-looks>
              {items.map((look) => (
                <OneLook key={look.at + look.by.id + look.field} look={look} />
              ))}
            </ol>
          )
        }
      </QueryState>
    </Panel>
  )
}

function OneLook({ look }: { look: Look }) {
  const { t } = useTranslation('contacts')
  const what = fieldName(look.field) || t('looks.personal')
  const Icon = look.kind === 'looked_up' ? Search : Eye
  return (
    <li>
      <Icon size={14} aria-hidden />
      <span>
        <b>{look.by.name}</b> {look.kind === 'looked_up' ? t('looks.found', { what }) : t('looks.saw', { what })}
        <small>
          {look.reason && <>{look.reason} · </>}
          <TimeAgo at={look.at} />
        </small>
      </span>
    </li>
  )
}

/** `attribute:address` is called as its attribute, an identity as its kind. */
function fieldName(field: string): string {
  const attribute = field.startsWith('attribute:') ? field.slice('attribute:'.length) : ''
  return attribute || (field && codeText('contacts', 'identity', field))
}
