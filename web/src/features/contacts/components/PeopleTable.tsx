import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useCursorList } from '@/shared/api/cursor'
import type { ContactRow } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { DataTable } from '@/shared/ui/DataTable'
import { FilterBar } from '@/shared/ui/FilterBar'
import { useContactColumns } from './useContactColumns'

interface Props {
  label: string
  /** One page of the people, as any list gives them. */
  source: { queryKey: readonly unknown[]; page: (cursor: string | undefined, signal: AbortSignal) => Promise<{ items: ContactRow[]; next?: string; total?: number }> }
  empty: ReactNode
  /** Stands beside the number of people. */
  extra?: ReactNode
}

/** People of any list, as the list of contacts shows them. */
export function PeopleTable({ label, source, empty, extra }: Props) {
  const { t } = useTranslation('contacts')
  const { lang } = usePrefs()
  const list = useCursorList<ContactRow>(source)
  const columns = useContactColumns(false)
  return (
    <>
      <FilterBar extra={extra}>{list.total !== undefined && <b className="kp-num">{t('list.total', { total: formatInt(list.total, lang) })}</b>}</FilterBar>
      <DataTable label={label} list={list} columns={columns} rowKey={(r) => r.id} rowHref={(r) => `/contacts/${r.id}`} columnsKey="people" empty={empty} />
    </>
  )
}
