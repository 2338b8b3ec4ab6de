import { ShoppingBag } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { useCursorList } from '@/shared/api/cursor'
import { useUrlText } from '@/shared/lib/url'
import { DataTable } from '@/shared/ui/DataTable'
import { Empty } from '@/shared/ui/states'
import { contactOrdersPage } from '../queries'
import { OrderDrawer } from './OrderDrawer'
import { useOrderColumns } from './useOrderColumns'

/** What one contact bought, for the contact's page. */
export function ContactOrders({ contact }: { contact: string }) {
  const { t } = useTranslation('orders')
  const [open, setOpen] = useUrlText('order')
  const list = useCursorList(contactOrdersPage(contact))
  const columns = useOrderColumns(false)
  return (
    <>
      <DataTable
        label={t('list.title')}
        list={list}
        columns={columns}
        rowKey={(o) => o.id}
        onOpen={(o) => setOpen(o.id)}
        empty={<Empty icon={<ShoppingBag size={26} strokeWidth={1.5} aria-hidden />} title={t('list.none')} desc={t('list.noneDesc')} />}
      />
      <OrderDrawer id={open} onClose={() => setOpen('')} />
    </>
  )
}
