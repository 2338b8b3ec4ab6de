import { ShoppingBag, Upload } from 'lucide-react'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate, useSearchParams } from 'react-router'
import { useCursorList } from '@/shared/api/cursor'
import { useChannelOptions } from '@/shared/lib/channels'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan, useTimezone } from '@/shared/lib/session'
import { useUrlPatch, useUrlText } from '@/shared/lib/url'
import { DataTable } from '@/shared/ui/DataTable'
import { DayPicker } from '@/shared/ui/DayPicker'
import { FilterBar, FilterPills, FilterSelect, SearchBox } from '@/shared/ui/FilterBar'
import { FilterChips, type FilterChip } from '@/shared/ui/FilterChips'
import { Button } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { OrderDrawer } from '../components/OrderDrawer'
import { useOrderColumns } from '../components/useOrderColumns'
import { isFiltered, NO_FILTERS, readFilters, STATES, toQuery } from '../filters'
import { ordersPage } from '../queries'

/** Everything that was bought and given back. */
export default function OrdersPage() {
  const { t } = useTranslation('orders')
  const { lang } = usePrefs()
  const go = useNavigate()
  const zone = useTimezone()
  const [params] = useSearchParams()
  const patch = useUrlPatch()
  const filters = useMemo(() => readFilters(params, zone), [params, zone])
  const [open, setOpen] = useUrlText('order')
  const list = useCursorList(ordersPage(toQuery(filters)))
  const columns = useOrderColumns(true)
  const channels = useChannelOptions()
  const clear = () => patch(NO_FILTERS)
  const chips: FilterChip[] = []
  if (filters.contact) {
    const name = list.items[0]?.contact?.id === filters.contact ? list.items[0].contact.name : filters.contact
    chips.push({ key: 'contact', label: t('col.contact'), value: name, onRemove: () => patch({ contact: '' }) })
  }
  return (
    <Page>
      <PageHead title={t('list.title')} desc={t('list.desc')} />
      <Panel flush>
        <FilterBar
          active={isFiltered(filters) && chips.length === 0}
          onClear={clear}
          extra={list.total !== undefined && <span className="kp-muted kp-num">{t('list.total', { total: formatInt(list.total, lang) })}</span>}
        >
          <SearchBox value={filters.q} onChange={(q) => patch({ q })} placeholder={t('filter.search')} width={240} />
          <FilterPills
            label={t('col.state')}
            value={filters.state}
            onChange={(state) => patch({ state })}
            options={STATES.map((s) => ({ value: s, label: t(`state.${s}`) }))}
          />
          <FilterSelect label={t('col.first')} value={filters.first || undefined} onChange={(first) => patch({ first: first ?? '' })} options={channels} width={170} />
          <FilterSelect label={t('col.last')} value={filters.last || undefined} onChange={(last) => patch({ last: last ?? '' })} options={channels} width={170} />
          <DayPicker label={t('col.paidAt')} value={filters.paid} onChange={(d) => patch({ paidFrom: d.first, paidTo: d.last })} />
        </FilterBar>
        <FilterChips chips={chips} onClear={clear} />
        <DataTable
          label={t('list.title')}
          list={list}
          columns={columns}
          rowKey={(o) => o.id}
          onOpen={(o) => setOpen(o.id)}
          columnsKey="orders"
          filtered={isFiltered(filters)}
          onClearFilters={clear}
          empty={<NoOrders onImport={useCan('import.write') ? () => void go('/imports/new') : undefined} />}
        />
      </Panel>
      <OrderDrawer id={open} onClose={() => setOpen('')} />
    </Page>
  )
}

function NoOrders({ onImport }: { onImport: (() => void) | undefined }) {
  const { t } = useTranslation('orders')
  return (
    <Empty
      icon={<ShoppingBag size={26} strokeWidth={1.5} aria-hidden />}
      title={t('list.empty')}
      desc={t('list.emptyDesc')}
      action={
        onImport && (
          <Button type="primary" icon={<Upload size={15} aria-hidden />} onClick={onImport}>
            {t('list.import')}
          </Button>
        )
      }
    />
  )
}
