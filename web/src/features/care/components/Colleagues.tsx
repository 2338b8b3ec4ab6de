import { useQuery } from '@tanstack/react-query'
import { ChevronDown, ChevronRight } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Colleague, OwnerChange } from '@/shared/api/types'
import { Chip } from '@/shared/ui/chips'
import { Button } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { QueryState } from '@/shared/ui/states'
import { DateTime, NameMark, TimeAgo } from '@/shared/ui/values'
import { colleaguesQuery, ownersQuery } from '../queries'
import css from './Colleagues.module.css'

/** Who of the staff knows a contact, and who owned it when. */
export function Colleagues({ contact }: { contact: string }) {
  const { t } = useTranslation('care')
  const staff = useQuery(colleaguesQuery(contact))
  const [open, setOpen] = useState(false)
  return (
    <Panel title={t('colleagues.title')}>
      <QueryState query={staff} height={60}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="kp-muted">{t('colleagues.none')}</p>
          ) : (
            <ul className={css.list}>
              {items.map((c) => (
                <Line key={c.user.id} colleague={c} />
              ))}
            </ul>
          )
        }
      </QueryState>
      <Button
        type="link"
        size="small"
        className={css.more}
        aria-expanded={open}
        icon={open ? <ChevronDown size={14} aria-hidden /> : <ChevronRight size={14} aria-hidden />}
        onClick={() => setOpen((o) => !o)}
      >
        {t('owners.title')}
      </Button>
      {open && <Owners contact={contact} />}
    </Panel>
  )
}

function Line({ colleague: c }: { colleague: Colleague }) {
  const { t } = useTranslation('care')
  const kinds = c.kinds.map((k) => {
    switch (k.kind) {
      case 'note':
        return t('colleagues.notes', { count: k.count })
      case 'follow_up':
        return t('colleagues.followUps', { count: k.count })
      case 'wecom_friend':
        return t('colleagues.friend')
      case 'owner':
        return c.owner ? '' : t('colleagues.owned')
    }
    return k.kind
  })
  const said = kinds.filter((k) => k !== '').join(' · ')
  return (
    <li>
      <NameMark name={c.user.name} size={24} />
      <span>
        {c.user.name} {c.owner && <Chip tone="info">{t('colleagues.owner')}</Chip>}
        {said && <small>{said}</small>}
      </span>
      {c.lastAt && <TimeAgo at={c.lastAt} />}
    </li>
  )
}

function Owners({ contact }: { contact: string }) {
  const { t } = useTranslation('care')
  const query = useQuery(ownersQuery(contact))
  return (
    <QueryState query={query} height={60}>
      {({ items }) =>
        items.length === 0 ? (
          <p className="kp-muted">{t('owners.none')}</p>
        ) : (
          <ol className={css.owners}>
            {items.map((c, i) => (
              <li key={i}>
                <b>{c.owner ? c.owner.name : t('owners.nobody')}</b>
                <small>
                  <How change={c} />
                  {c.from && (
                    <>
                      {' · '}
                      <DateTime at={c.from} />
                    </>
                  )}
                </small>
                {c.why && <p>{c.why}</p>}
              </li>
            ))}
          </ol>
        )
      }
    </QueryState>
  )
}

function How({ change: c }: { change: OwnerChange }) {
  const { t } = useTranslation('care')
  const how = t(`owners.how.${c.how}`, { by: c.by?.name ?? '' })
  return c.merged ? `${how} · ${t('owners.merged')}` : how
}
