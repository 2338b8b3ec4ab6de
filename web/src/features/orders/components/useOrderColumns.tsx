import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Order } from '@/shared/api/types'
import { useChannelName } from '@/shared/lib/channels'
import type { Column } from '@/shared/ui/DataTable'
import { Count, DateTime, Money, None, Person } from '@/shared/ui/values'
import { OrderStateChip } from './OrderStateChip'

/** The columns of every list of orders. A contact's own list does not repeat the contact. */
export function useOrderColumns(withContact: boolean): Column<Order>[] {
  const { t } = useTranslation('orders')
  const channelName = useChannelName()
  return useMemo(() => {
    const contact: Column<Order> = {
      key: 'contact',
      title: t('col.contact'),
      render: (o) =>
        o.contact ? (
          <Link to={`/contacts/${o.contact.id}`} className="kp-cell-link">
            <Person name={o.contact.name || t('unnamed')} />
          </Link>
        ) : (
          <span className="kp-muted">{t('nobody')}</span>
        ),
    }
    const source: Column<Order> = { key: 'source', title: t('col.source'), width: 130, clip: true, render: (o) => o.source || <None /> }
    const touch = (key: 'first' | 'last', of: (o: Order) => string | undefined): Column<Order> => ({
      key,
      title: t(`col.${key}`),
      width: 96,
      clip: true,
      ...(key === 'first' && { optional: true }), // the buyer's own page says it, too
      render: (o) => (o.settling ? <span className="kp-muted">{t('settling')}</span> : of(o) ? channelName(of(o) ?? '') : <None />),
    })
    return [
      { key: 'number', title: t('col.number'), fixed: true, render: (o) => <span className="kp-num kp-nowrap">{o.number}</span> },
      ...(withContact ? [contact] : []),
      { key: 'state', title: t('col.state'), width: 92, render: (o) => <OrderStateChip order={o} /> },
      { key: 'total', title: t('col.total'), align: 'right', width: 96, render: (o) => <b><Money value={o.total} /></b> },
      { key: 'refunded', title: t('col.refunded'), align: 'right', width: 84, render: (o) => (o.refunded.amount ? <Money value={o.refunded} /> : <None />) },
      { key: 'lines', title: t('col.lines'), align: 'right', width: 48, render: (o) => <Count value={o.lineCount} /> },
      { key: 'paidAt', title: t('col.paidAt'), width: 120, render: (o) => <DateTime at={o.paidAt} /> },
      // A contact's own list stands in a narrow column; the order itself says where it came from.
      ...(withContact ? [touch('first', (o) => o.firstChannel), touch('last', (o) => o.lastChannel), source] : []),
    ]
  }, [t, withContact, channelName])
}
