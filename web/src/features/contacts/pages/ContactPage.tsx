import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useParams } from 'react-router'
import type { Contact } from '@/shared/api/types'
import { useUrlChoice } from '@/shared/lib/url'
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

const TABS = ['timeline', 'orders', 'notes'] as const
type Tab = (typeof TABS)[number]

interface Props {
  /** The contact's orders, which another feature shows; undefined when the reader may not see orders. */
  orders: ((id: string) => ReactNode) | undefined
}

/** One contact: who it is, what it did, what it is worth. */
export function ContactPage({ orders }: Props) {
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
        <Profile contact={query.data} orders={orders} />
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

function Profile({ contact, orders }: { contact: Contact } & Props) {
  const { t } = useTranslation('contacts')
  const [tab, setTab] = useUrlChoice<Tab>('tab', TABS, 'timeline')
  return (
    <>
      <ProfileHead contact={contact} />
      <div className={css.columns}>
        <section className={`kp-panel ${css.main}`}>
          <Tabs
            className={css.tabs}
            activeKey={tab}
            onChange={(key) => setTab(TABS.find((x) => x === key))}
            destroyOnHidden
            items={[
              { key: 'timeline', label: t('profile.timeline'), children: <Timeline id={contact.id} /> },
              ...(orders ? [{ key: 'orders', label: contact.orders ? t('profile.ordersCount', { count: contact.orders }) : t('profile.orders'), children: orders(contact.id) }] : []),
              { key: 'notes', label: t('profile.notes'), children: <Notes id={contact.id} /> },
            ]}
          />
        </section>
        <ProfileSide contact={contact} />
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
