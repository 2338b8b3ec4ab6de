import { useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { TriangleAlert } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Contact, Touch } from '@/shared/api/types'
import { codeText } from '@/shared/i18n/code'
import { useChannelName } from '@/shared/lib/channels'
import { CopyText } from '@/shared/ui/copy'
import { Tooltip } from '@/shared/ui/kit'
import { Masked } from '@/shared/ui/Masked'
import { Panel } from '@/shared/ui/Panel'
import { DateTime, TimeAgo } from '@/shared/ui/values'
import { looksQuery, unmask } from '../queries'
import { Looks } from './Looks'
import css from './ProfileSide.module.css'

/** What is known about the contact, beside what it did. */
export function ProfileSide({ contact, attributes }: { contact: Contact; attributes: ReactNode }) {
  return (
    <>
      <Identities contact={contact} />
      {attributes}
      <Touches contact={contact} />
      <Looks id={contact.id} />
    </>
  )
}

/** Opens a hidden value; who looked is read anew then. */
function useReveal(id: string) {
  const client = useQueryClient()
  return async (field: string, reason: string) => {
    const value = await unmask(id, field, reason)
    void client.invalidateQueries({ queryKey: looksQuery(id).queryKey })
    return value
  }
}

function Identities({ contact }: { contact: Contact }) {
  const { t } = useTranslation('contacts')
  const reveal = useReveal(contact.id)
  return (
    <Panel title={t('side.identities')}>
      {contact.identities.length === 0 ? (
        <p className="kp-muted">{t('side.noIdentities')}</p>
      ) : (
        <dl className={css.facts}>
          {contact.identities.map((i) => {
            const label = codeText('contacts', 'identity', i.kind)
            return (
              <div key={i.id}>
                <dt>{label}</dt>
                <dd>
                  <Tooltip placement="left" title={<SeenWhen first={i.firstSeenAt} last={i.lastSeenAt} source={i.source} />}>
                    <span className={css.value}>
                      {i.masked ? (
                        <Masked value={i.value} label={label} reveal={(reason) => reveal(i.id, reason)} />
                      ) : (
                        <CopyText text={i.value} label={label} mono={false} />
                      )}
                    </span>
                  </Tooltip>
                </dd>
              </div>
            )
          })}
        </dl>
      )}
      <Conflicts contact={contact} />
    </Panel>
  )
}

/** Which identities the contact could not have. Which profiles became it stands in a panel of its own. */
function Conflicts({ contact }: { contact: Contact }) {
  const { t } = useTranslation('contacts')
  if (contact.conflicts.length === 0) return null
  return (
    <ul className={css.history}>
      {contact.conflicts.map((c) => (
        <li key={c.kind + (c.other?.id ?? '')} className={css.conflict}>
          <TriangleAlert size={14} aria-hidden />
          <span>
            {t('side.conflict', { what: codeText('contacts', 'identity', c.kind), why: codeText('contacts', 'conflict', c.reason) })}
            <small>
              {c.other && <Link to={`/contacts/${c.other.id}`}>{c.other.name || t('unnamed.person')}</Link>} {t('side.times', { count: c.count })} · <DateTime at={c.lastAt} dateOnly />
            </small>
          </span>
        </li>
      ))}
    </ul>
  )
}

function SeenWhen({ first, last, source }: { first: string; last: string; source: string }) {
  const { t } = useTranslation('contacts')
  return (
    <>
      {t('side.firstSeen')} <DateTime at={first} />
      <br />
      {t('side.lastSeen')} <DateTime at={last} />
      {source && (
        <>
          <br />
          {t('side.source', { source })}
        </>
      )}
    </>
  )
}

function Touches({ contact }: { contact: Contact }) {
  const { t } = useTranslation('contacts')
  if (!contact.firstTouch && !contact.lastTouch) return null
  return (
    <Panel title={t('side.touches')}>
      <ol className={css.touches}>
        {contact.firstTouch && <TouchLine label={t('side.first')} touch={contact.firstTouch} />}
        {contact.lastTouch && <TouchLine label={t('side.last')} touch={contact.lastTouch} />}
      </ol>
    </Panel>
  )
}

function TouchLine({ label, touch }: { label: string; touch: Touch }) {
  const { t } = useTranslation('contacts')
  const channelName = useChannelName()
  const parts: [string, string | undefined][] = [
    [t('side.utmSource'), touch.source],
    [t('side.utmMedium'), touch.medium],
    [t('side.utmCampaign'), touch.campaign],
  ]
  const detail: ReactNode[] = parts.filter(([, v]) => v).map(([k, v]) => <span key={k} title={k}>{v}</span>)
  return (
    <li>
      <span className="kp-muted">{label}</span>
      <div>
        <b>{channelName(touch.channel)}</b>
        {detail.length > 0 && <p>{detail}</p>}
      </div>
      <TimeAgo at={touch.at} />
    </li>
  )
}
