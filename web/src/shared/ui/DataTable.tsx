import { Table, type TableProps } from 'antd'
import type { Key, MouseEvent, ReactNode } from 'react'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useNavigate } from 'react-router'
import type { CursorList } from '../api/cursor'
import { formatInt } from '../lib/format'
import { usePrefs } from '../lib/prefs'
import type { Sort } from '../lib/url'
import { ColumnPicker, useColumns } from './columns'
import { Button } from './kit'
import { ErrorState, NoMatches } from './states'

/** One column. `key` is what column choice and sorting remember. */
export interface Column<T, K extends string = string> {
  key: string
  title: string
  render: (row: T) => ReactNode
  width?: number
  align?: 'left' | 'right' | 'center'
  /** The API's sort key; makes the head clickable. */
  sort?: K
  /** Left out until the reader turns it on. */
  optional?: boolean
  /** Stays when the table scrolls sideways. */
  fixed?: boolean
  /** Cuts long content with an ellipsis. */
  clip?: boolean
}

interface Props<T, K extends string> {
  /** What the list holds, for screen readers. */
  label: string
  list: CursorList<T>
  columns: Column<T, K>[]
  rowKey: (row: T) => string
  /** Shown when there is nothing at all. */
  empty: ReactNode
  /** Whether a filter is on, which turns "nothing yet" into "nothing matches". */
  filtered?: boolean
  onClearFilters?: () => void
  sort?: Sort<K>
  onSort?: (next: Sort<K> | undefined) => void
  /** Page a row opens. The first cell becomes the link; the whole row follows the mouse. */
  rowHref?: (row: T) => string
  /** Something a row opens in place, such as a drawer. */
  onOpen?: (row: T) => void
  /** Remembers the chosen columns on this device under this name, and shows the column menu. */
  columnsKey?: string
  selected?: string[]
  onSelect?: (keys: string[]) => void
  /** A row opened below its row. */
  expand?: (row: T) => ReactNode
  /** Rows of the loading shape. */
  skeletonRows?: number
}

type Placeholder = { __placeholder: number }
const isPlaceholder = (row: object): row is Placeholder => '__placeholder' in row

/** The list of the console: keyset pages, sorting, chosen columns, and all four states. */
export function DataTable<T extends object, K extends string = string>(props: Props<T, K>) {
  const { label, list, columns, rowKey, rowHref, onOpen, sort, onSort, selected, onSelect, expand, columnsKey } = props
  const { t } = useTranslation()
  const go = useNavigate()
  const [shown, picker] = useColumns(columnsKey, columns)
  const cols = useMemo(() => shown.map((c, i) => antColumn(c, i === 0, sort, rowHref, onOpen)), [shown, sort, rowHref, onOpen])

  if (list.error && list.items.length === 0) return <ErrorState error={list.error} onRetry={list.refetch} />
  const loading = list.loading && list.items.length === 0
  const rows: (T | Placeholder)[] = loading
    ? Array.from({ length: props.skeletonRows ?? 8 }, (_, i) => ({ __placeholder: i }))
    : list.items
  const opens = rowHref ?? onOpen

  const onRow = (row: T | Placeholder) => {
    if (!opens || isPlaceholder(row)) return {}
    return {
      className: 'kp-row-opens',
      onClick: (e: MouseEvent) => {
        if (onControl(e)) return
        if (rowHref) void go(rowHref(row))
        else onOpen?.(row)
      },
    }
  }
  const onChange: TableProps<T | Placeholder>['onChange'] = (_p, _f, sorter) => {
    const one = Array.isArray(sorter) ? sorter[0] : sorter
    const key = columns.find((c) => c.key === one?.columnKey)?.sort
    onSort?.(key && one?.order ? { sort: key, order: one.order === 'ascend' ? 'asc' : 'desc' } : undefined)
  }
  return (
    <div className="kp-table" role="region" aria-label={label} aria-busy={list.fetching}>
      {columnsKey && <ColumnPicker {...picker} />}
      <Table<T | Placeholder>
        size="middle"
        columns={cols}
        dataSource={rows}
        rowKey={(row) => (isPlaceholder(row) ? `p${row.__placeholder}` : rowKey(row))}
        pagination={false}
        showSorterTooltip={false}
        scroll={{ x: 'max-content' }}
        onRow={onRow}
        onChange={onChange}
        rowSelection={
          onSelect && {
            selectedRowKeys: selected as Key[],
            onChange: (keys) => onSelect(keys.map(String)),
            columnWidth: 40,
            getCheckboxProps: (row) => ({ disabled: isPlaceholder(row) }),
          }
        }
        expandable={
          expand && {
            expandedRowRender: (row) => (isPlaceholder(row) ? null : expand(row)),
            rowExpandable: (row) => !isPlaceholder(row),
          }
        }
        locale={{ emptyText: props.filtered ? <NoMatches onClear={props.onClearFilters} /> : props.empty }}
      />
      {list.error !== undefined && list.items.length > 0 && (
        <p className="kp-table-note bad" role="alert">
          {t('table.refreshFailed')} <Button size="small" onClick={list.refetch}>{t('action.retry')}</Button>
        </p>
      )}
      <Footer list={list} />
    </div>
  )
}

/** Clicks on links, buttons and boxes inside a row belong to them and not to the row. */
function onControl(e: MouseEvent): boolean {
  if (e.defaultPrevented || e.metaKey || e.ctrlKey || window.getSelection()?.toString()) return true
  return e.target instanceof Element && e.target.closest('a,button,input,label,.ant-table-selection-column') !== null
}

function antColumn<T extends object, K extends string>(
  c: Column<T, K>,
  first: boolean,
  sort: Sort<K> | undefined,
  rowHref: ((row: T) => string) | undefined,
  onOpen: ((row: T) => void) | undefined,
): NonNullable<TableProps<T | Placeholder>['columns']>[number] {
  const cell = (row: T) => {
    if (!first || !(rowHref || onOpen)) return c.render(row)
    if (rowHref) {
      return (
        <Link className="kp-cell-link" to={rowHref(row)}>
          {c.render(row)}
        </Link>
      )
    }
    return (
      <button type="button" className="kp-cell-link" onClick={() => onOpen?.(row)}>
        {c.render(row)}
      </button>
    )
  }
  return {
    key: c.key,
    title: c.title,
    width: c.width,
    align: c.align,
    fixed: c.fixed ? 'left' : undefined,
    ellipsis: c.clip ? { showTitle: true } : undefined,
    ...(c.sort ? { sorter: true, sortOrder: sort?.sort === c.sort ? (sort.order === 'asc' ? 'ascend' : 'descend') : null } : {}),
    render: (_: unknown, row: T | Placeholder) =>
      isPlaceholder(row) ? <span className="kp-bone" style={{ width: `${45 + ((row.__placeholder * 17 + c.key.length * 11) % 40)}%` }} /> : cell(row),
  }
}

/** How much of the list is on screen, and the rest. */
function Footer<T>({ list }: { list: CursorList<T> }) {
  const { t } = useTranslation()
  const { lang } = usePrefs()
  if (list.items.length === 0) return null
  const shown = formatInt(list.items.length, lang)
  return (
    <div className="kp-table-foot">
      <span className="kp-muted kp-num">
        {list.total === undefined || list.total === list.items.length
          ? t('table.shown', { count: list.items.length })
          : t('table.shownOf', { shown, total: formatInt(list.total, lang) })}
      </span>
      {list.hasMore && (
        <Button loading={list.loadingMore} onClick={list.loadMore}>
          {t('table.more')}
        </Button>
      )}
    </div>
  )
}
