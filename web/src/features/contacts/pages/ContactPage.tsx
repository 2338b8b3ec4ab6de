import { useQuery } from '@tanstack/react-query'
import { Fragment, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useParams } from 'react-router'
import type { Contact } from '@/shared/api/types'
import { useUrlText } from '@/shared/lib/url'
import { Skeleton, Tabs } from '@/shared/ui/kit'
import { Page, PageBack, usePageTitle } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { ErrorState, Loading } from '@/shared/ui/states'
import { Notes } from '../components/Notes'
import { ProfileHead } from '../components/ProfileHead'
import { ProfileSide } from '../components/ProfileSide'
import { Timeline } from '../components/Timeline'
import { useContactName } from '../components/useContactColumns'
import { contactQuery } from '../queries'
import css from './ContactPage.module.css'

/** A tab that another feature shows on a contact's page. */
export interface ProfileTab {
  key: string
  label: (contact: Contact) => string
  show: (contact: Contact) => ReactNode
}

interface Props {
  /** Tabs of other features, between the timeline and the notes. */
  tabs: readonly ProfileTab[]
  /** The panel of attributes, beside the tabs. */
  attributes: (contact: Contact) => ReactNode
  /** What stands above everything beside the tabs. */
  lead?: (contact: Contact) => ReactNode
  /** What other features show in the head, beside the owner. */
  head?: (contact: Contact) => ReactNode
  /** Panels of other features beside the tabs, below what the contact is. */
  side?: readonly ((contact: Contact) => ReactNode)[]
}

/** One contact: who it is, what it did, what it is worth. */
export function ContactPage(props: Props) {
  const { t } = useTranslation('contacts')
  const { id = '' } = useParams()
  const query = useQuery(contactQuery(id))
  const nameOf = useContactName()
  usePageTitle(query.data ? nameOf(query.data) : t('profile.title'))
  return (
    <Page>
      <div className={css.back}>
        <PageBack to="/contacts" label={t('list.title')} />
        {!query.data && <h1 className="kp-sr">{t('profile.title')}</h1>}
      </div>
      {query.data ? (
        <Profile contact={query.data} {...props} />
      ) : query.error ? (
        <Panel>
          <ErrorState error={query.error} onRetry={() => void query.refetch()} />
        </Panel>
      ) : (
        <ProfileSkeleton />
      )}
    </Page>
  )
}

function Profile({ contact, tabs, attributes, lead, head, side = [] }: { contact: Contact } & Props) {
  const { t } = useTranslation('contacts')
  const [asked, setTab] = useUrlText('tab')
  const tab = asked === 'notes' || tabs.some((x) => x.key === asked) ? asked : 'timeline'
  return (
    <>
      <ProfileHead contact={contact}>{head?.(contact)}</ProfileHead>
      <div className={css.columns}>
        <section className={`kp-panel ${css.main}`}>
          <Tabs
            className={css.tabs}
            activeKey={tab}
            onChange={(key) => setTab(key === 'timeline' ? '' : key)}
            destroyOnHidden
            items={[
              { key: 'timeline', label: t('profile.timeline'), children: <Timeline id={contact.id} /> },
              ...tabs.map((x) => ({ key: x.key, label: x.label(contact), children: x.show(contact) })),
              { key: 'notes', label: t('profile.notes'), children: <Notes id={contact.id} /> },
            ]}
          />
        </section>
        <div className="kp-stack">
          {lead?.(contact)}
          <ProfileSide contact={contact} attributes={attributes(contact)} />
          {side.map((show, i) => (
            <Fragment key={i}>{show(contact)}</Fragment>
          ))}
        </div>
      </div>
    </>
  )
}

function ProfileSkeleton() {
  return (
    <>
      <section className="kp-panel" style={{ padding: 24, height: 212, boxSizing: 'border-box' }}>
        <Skeleton active avatar={{ size: 56 }} paragraph={{ rows: 3 }} />
      </section>
      <div className={css.columns}>
        <Panel>
          <Loading height={480} />
        </Panel>
        <div className="kp-stack">
          <Panel>
            <Loading height={150} />
          </Panel>
          <Panel>
            <Loading height={150} />
          </Panel>
        </div>
      </div>
    </>
  )
}
