import { ContactPage } from '@/features/contacts/pages/ContactPage'
import { ContactOrders } from '@/features/orders/components/ContactOrders'
import { useCan } from '@/shared/lib/session'

/** A contact's page with its orders: two features side by side. */
export default function ContactProfile() {
  const mayOrders = useCan('order.read')
  return <ContactPage orders={mayOrders ? (id) => <ContactOrders contact={id} /> : undefined} />
}
