import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { CursorList } from '../api/cursor'
import { formatInt } from '../lib/format'
import { usePrefs } from '../lib/prefs'
import { ColumnPicker, useColumns, type ChosenColumns } from './columns'
import { Grid, type GridProps } from './Grid'
import { Button } from './kit'
import { ErrorState, NoMatches } from './states'

export type { Column } from './Grid'

interface Props<T, K extends string> extends Omit<GridProps<T, K>, 'rows'> {
  list: CursorList<T>
  /** Shown when there is nothing at all. */
  empty: ReactNode
  /** Whether a filter is on, which turns "nothing yet" into "nothing matches". */
  filtered?: boolean
  onClearFilters?: () => void
  /** Remembers the chosen columns on this device under this name, and shows the column menu. */
  columnsKey?: string
  /** Columns kept elsewhere than on this device, in their order. */
  chosenColumns?: ChosenColumns
  /** Rows of the loading shape. */
  skeletonRows?: number
}

/** The list of the console: keyset pages, sorting, chosen columns, and all four states. */
export function DataTable<T extends object, K extends string = string>(props: Props<T, K>) {
  const { list, empty, filtered, onClearFilters, columnsKey, chosenColumns, skeletonRows = 8, columns, ...grid } = props
  const { t } = useTranslation()
  const [shown, picker] = useColumns(columnsKey, columns, chosenColumns)

  if (list.error && list.items.length === 0) return <ErrorState error={list.error} onRetry={list.refetch} />
  const loading = list.loading && list.items.length === 0
  const none = !loading && list.items.length === 0
  return (
    <div className="kp-table">
      {columnsKey && <ColumnPicker {...picker} />}
      <Grid<T, K> {...grid} columns={shown} rows={list.items} skeleton={loading ? skeletonRows : undefined} busy={list.fetching && !list.loadingMore && !loading} />
      {none && (filtered ? <NoMatches onClear={onClearFilters} /> : empty)}
      {list.error !== undefined && list.items.length > 0 && (
        <p className="kp-table-note bad" role="alert">
          {t('table.refreshFailed')}
          <Button size="small" onClick={list.refetch}>
            {t('action.retry')}
          </Button>
        </p>
      )}
      <Footer list={list} />
    </div>
  )
}

/** How much of the list is on screen, and the rest. */
function Footer<T>({ list }: { list: CursorList<T> }) {
  const { t } = useTranslation()
  const { lang } = usePrefs()
  const shown = list.items.length
  if (shown === 0) return null
  const more = list.hasMore
  const words = !more
    ? t('table.shown', { count: shown })
    : list.total === undefined
      ? t('table.shownSome', { count: shown })
      : t('table.shownOf', { shown: formatInt(shown, lang), total: formatInt(list.total, lang) })
  return (
    <div className="kp-table-foot">
      <span className="kp-muted kp-num" role="status">
        {words}
      </span>
      {more && (
        <Button loading={list.loadingMore} onClick={list.loadMore}>
          {t('table.more')}
        </Button>
      )}
    </div>
  )
}
