import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Order } from '@/shared/api/types'
import { formatMoney } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useChannelName } from '@/shared/lib/channels'
import { useCan } from '@/shared/lib/session'
import { CopyText } from '@/shared/ui/copy'
import { Drawer } from '@/shared/ui/Drawer'
import { Empty, QueryState } from '@/shared/ui/states'
import { DateTime, Money, Person } from '@/shared/ui/values'
import { orderQuery } from '../queries'
import css from './OrderDrawer.module.css'
import { OrderStateChip } from './OrderStateChip'

/** One order beside the list. An empty id keeps it closed. */
export function OrderDrawer({ id, onClose }: { id: string; onClose: () => void }) {
  const { t } = useTranslation('orders')
  const query = useQuery(orderQuery(id))
  return (
    <Drawer open={id !== ''} onClose={onClose} title={t('detail.title')} width={600}>
      <QueryState query={query} height={420}>
        {(order) => <Detail order={order} />}
      </QueryState>
    </Drawer>
  )
}

function Detail({ order }: { order: Order }) {
  const channelName = useChannelName()
  const { t } = useTranslation('orders')
  const mayImports = useCan('import.read')
  return (
    <div className={css.detail}>
      <header>
        <div>
          <CopyText text={order.number} label={t('col.number')} mono={false} />
          <span className="kp-muted">
            <DateTime at={order.paidAt} seconds />
          </span>
        </div>
        <OrderStateChip order={order} />
      </header>
      <div className={css.sums}>
        <Sum label={t('col.total')} order={order} amount={order.total.amount} />
        <Sum label={t('col.refunded')} order={order} amount={order.refunded.amount} />
        <Sum label={t('detail.kept')} order={order} amount={order.total.amount - order.refunded.amount} strong />
      </div>
      <Lines order={order} />
      <dl className={css.facts}>
        <div>
          <dt>{t('col.contact')}</dt>
          <dd>
            {order.contact ? (
              <Link to={`/contacts/${order.contact.id}`}>
                <Person name={order.contact.name || t('unnamed')} />
              </Link>
            ) : (
              t('nobody')
            )}
          </dd>
        </div>
        <div>
          <dt>{t('col.source')}</dt>
          <dd>{order.source || '—'}</dd>
        </div>
        {(['firstChannel', 'lastChannel'] as const).map((key) => (
          <div key={key}>
            <dt>{t(key === 'firstChannel' ? 'col.first' : 'col.last')}</dt>
            <dd>{order.settling ? t('settling') : order[key] ? channelName(order[key]) : '—'}</dd>
          </div>
        ))}
        {order.importId && (
          <div>
            <dt>{t('detail.import')}</dt>
            <dd>{mayImports ? <Link to={`/imports/${order.importId}`}>{t('detail.openImport')}</Link> : order.importId}</dd>
          </div>
        )}
        <div>
          <dt>{t('detail.id')}</dt>
          <dd>
            <CopyText text={order.id} label={t('detail.id')} />
          </dd>
        </div>
      </dl>
    </div>
  )
}

function Sum({ label, order, amount, strong }: { label: string; order: Order; amount: number; strong?: boolean }) {
  return (
    <div className={strong ? css.strong : undefined}>
      <span>{label}</span>
      <b>
        <Money value={{ amount, currency: order.total.currency }} />
      </b>
    </div>
  )
}

function Lines({ order }: { order: Order }) {
  const { t } = useTranslation('orders')
  const { lang } = usePrefs()
  const money = (amount: number) => formatMoney({ amount, currency: order.total.currency }, lang)
  const quantity = new Intl.NumberFormat(lang, { maximumFractionDigits: 3 })
  if (order.lines.length === 0) return <Empty title={t('detail.noLines')} desc={t('detail.noLinesDesc')} />
  return (
    <div className={css.lines}>
      <table>
        <caption className="kp-sr">{t('col.lines')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('detail.goods')}</th>
            <th scope="col">{t('detail.price')}</th>
            <th scope="col">{t('detail.quantity')}</th>
            <th scope="col">{t('detail.amount')}</th>
          </tr>
        </thead>
        <tbody>
          {order.lines.map((l, i) => (
            <tr key={i}>
              <th scope="row">
                {l.name || l.sku}
                {l.name && l.sku && <small>{l.sku}</small>}
              </th>
              <td>{money(l.price)}</td>
              <td>×{quantity.format(l.quantity)}</td>
              <td>{money(l.amount)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {order.lineCount > order.lines.length && <p>{t('detail.moreLines', { count: order.lineCount - order.lines.length })}</p>}
    </div>
  )
}
