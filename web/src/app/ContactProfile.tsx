import { useTranslation } from 'react-i18next'
import { ContactAttributes } from '@/features/attributes/components/ContactAttributes'
import { ConsentPanel } from '@/features/consent/components/ConsentPanel'
import { ContactPage, type ProfileTab } from '@/features/contacts/pages/ContactPage'
import { Colleagues } from '@/features/care/components/Colleagues'
import { ContactFiles } from '@/features/care/components/ContactFiles'
import { ContactFollowUps } from '@/features/care/components/ContactFollowUps'
import { NextContact } from '@/features/care/components/NextContact'
import { Related } from '@/features/care/components/Related'
import { MergePanel } from '@/features/identity/components/MergePanel'
import { ContactStanding } from '@/features/lifecycle/components/ContactStanding'
import { ContactMatches } from '@/features/matches/components/ContactMatches'
import { ContactOrders } from '@/features/orders/components/ContactOrders'
import { ContactGroups } from '@/features/groups/components/ContactGroups'
import { ContactFriends } from '@/features/staff/components/ContactFriends'
import { ContactSegments } from '@/features/segments/components/ContactSegments'
import { useCan } from '@/shared/lib/session'

/** A contact's page with what other features know of it: each adds a tab or a panel here. */
export default function ContactProfile() {
  const { t } = useTranslation('contacts')
  const { t: care } = useTranslation('care')
  const seesSegments = useCan('segment.read')
  const tabs: ProfileTab[] = []
  if (useCan('order.read'))
    tabs.push({
      key: 'orders',
      label: (c) => (c.orders ? t('profile.ordersCount', { count: c.orders }) : t('profile.orders')),
      show: (c) => <ContactOrders contact={c.id} />,
    })
  tabs.push({ key: 'follow-ups', label: () => care('title'), show: (c) => <ContactFollowUps contact={c.id} /> }, { key: 'files', label: () => care('files.title'), show: (c) => <ContactFiles contact={c.id} /> })
  return (
    <ContactPage
      tabs={tabs}
      attributes={(c) => <ContactAttributes contact={c} />}
      head={(c) => c.kind === 'person' && <NextContact contact={c.id} />}
      lead={(c) => c.kind === 'person' && <ContactStanding contact={c} />}
      side={[(c) => <Colleagues contact={c.id} />, (c) => c.kind === 'person' && <ContactFriends contact={c.id} />, (c) => c.kind === 'person' && <ContactGroups contact={c.id} />, (c) => c.kind === 'person' && seesSegments && <ContactSegments contact={c.id} />, (c) => c.kind === 'person' && <Related contact={c.id} />, (c) => <MergePanel contact={c} />, (c) => <ContactMatches contact={c.id} />, (c) => <ConsentPanel contact={c.id} />]}
    />
  )
}
