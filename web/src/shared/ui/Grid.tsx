import { ArrowDown, ArrowUp, ArrowUpDown, ChevronRight } from 'lucide-react'
import { Fragment, useState, type MouseEvent, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useNavigate } from 'react-router'
import type { Sort } from '../lib/url'

/** One column. `key` is what column choice and sorting remember. */
export interface Column<T, K extends string = string> {
  key: string
  title: string
  render: (row: T) => ReactNode
  width?: number
  align?: 'left' | 'right' | 'center'
  /** The sort key; makes the head clickable. */
  sort?: K
  /** Left out until the reader turns it on. */
  optional?: boolean
  /** Stays when the table scrolls sideways. Only the first column can. */
  fixed?: boolean
  /** Cuts long content with an ellipsis, at the column's width or 280 pixels. */
  clip?: boolean
}

export interface GridProps<T, K extends string> {
  /** What the rows are, for screen readers. */
  label: string
  rows: T[]
  columns: Column<T, K>[]
  rowKey: (row: T) => string
  sort?: Sort<K>
  onSort?: (next: Sort<K> | undefined) => void
  /** Page a row opens. The first cell becomes the link; the whole row follows the mouse. */
  rowHref?: (row: T) => string
  /** Something a row opens in place, such as a drawer. */
  onOpen?: (row: T) => void
  selected?: string[]
  onSelect?: (keys: string[]) => void
  /** What opens below a row. */
  expand?: (row: T) => ReactNode
}

/** Rows and columns as a real table: sorting, choosing, opening and folding, all by keyboard too. */
export function Grid<T, K extends string = string>(props: GridProps<T, K> & { skeleton?: number; busy?: boolean }) {
  const { rows, columns, rowKey, label, skeleton, busy } = props
  const extra = (props.onSelect ? 1 : 0) + (props.expand ? 1 : 0)
  return (
    <div className="kp-grid-box" tabIndex={-1}>
      <table className="kp-grid-table" aria-label={label} aria-busy={busy} data-busy={busy || undefined}>
        <Head {...props} />
        <tbody>
          {skeleton
            ? Array.from({ length: skeleton }, (_, i) => <Bones key={i} at={i} columns={columns} extra={extra} />)
            : rows.map((row) => <Row key={rowKey(row)} row={row} id={rowKey(row)} span={columns.length + extra} {...props} />)}
        </tbody>
      </table>
    </div>
  )
}

function Head<T, K extends string>({ columns, rows, rowKey, sort, onSort, selected, onSelect, expand, skeleton }: GridProps<T, K> & { skeleton?: number }) {
  const { t } = useTranslation()
  const keys = rows.map(rowKey)
  const chosen = new Set(selected)
  const some = keys.some((k) => chosen.has(k))
  const all = keys.length > 0 && keys.every((k) => chosen.has(k))
  const toggleAll = () => onSelect?.(all ? [...chosen].filter((k) => !keys.includes(k)) : [...new Set([...chosen, ...keys])])
  return (
    <thead>
      <tr>
        {expand && (
          <th className="kp-grid-tool">
            <span className="kp-sr">{t('table.details')}</span>
          </th>
        )}
        {onSelect && (
          <th className="kp-grid-tool">
            <input
              type="checkbox"
              aria-label={t('table.selectAll')}
              checked={all}
              disabled={!!skeleton || keys.length === 0}
              ref={(box) => {
                if (box) box.indeterminate = some && !all
              }}
              onChange={toggleAll}
            />
          </th>
        )}
        {columns.map((c) => (
          <HeadCell key={c.key} column={c} sort={sort} onSort={onSort} />
        ))}
      </tr>
    </thead>
  )
}

function cellClass<T, K extends string>(c: Column<T, K>): string {
  return [c.align ?? 'left', c.fixed && 'fixed', c.clip && 'clip'].filter(Boolean).join(' ')
}

function HeadCell<T, K extends string>({ column: c, sort, onSort }: { column: Column<T, K>; sort?: Sort<K>; onSort?: (next: Sort<K> | undefined) => void }) {
  const { t } = useTranslation()
  const style = c.width ? { width: c.width, minWidth: c.width } : undefined
  if (!c.sort || !onSort) {
    return (
      <th scope="col" className={cellClass(c)} style={style}>
        {c.title || <span className="kp-sr">{t('table.actions')}</span>}
      </th>
    )
  }
  const key = c.sort
  const order = sort?.sort === key ? sort.order : undefined
  const Icon = order === 'asc' ? ArrowUp : order === 'desc' ? ArrowDown : ArrowUpDown
  // First downward, because the largest and the latest are what is looked for; then upward; then as it was.
  const next: Sort<K> | undefined = order === undefined ? { sort: key, order: 'desc' } : order === 'desc' ? { sort: key, order: 'asc' } : undefined
  return (
    <th scope="col" className={cellClass(c)} style={style} aria-sort={order === 'asc' ? 'ascending' : order === 'desc' ? 'descending' : 'none'}>
      <button type="button" className="kp-sort" data-on={order !== undefined} onClick={() => onSort(next)}>
        {c.title}
        <Icon size={13} aria-hidden />
      </button>
    </th>
  )
}

function Bones<T, K extends string>({ at, columns, extra }: { at: number; columns: Column<T, K>[]; extra: number }) {
  return (
    <tr>
      {extra > 0 && <td colSpan={extra} />}
      {columns.map((c) => (
        <td key={c.key} className={cellClass(c)}>
          <span className="kp-bone" style={{ width: `${45 + ((at * 17 + c.key.length * 11) % 40)}%` }} />
        </td>
      ))}
    </tr>
  )
}

/** Clicks on links, buttons and boxes inside a row belong to them and not to the row. */
function onControl(e: MouseEvent): boolean {
  if (e.defaultPrevented || e.metaKey || e.ctrlKey || window.getSelection()?.toString()) return true
  return e.target instanceof Element && e.target.closest('a,button,input,label,select,textarea') !== null
}

function Row<T, K extends string>({ row, id, span, columns, rowHref, onOpen, selected, onSelect, expand }: GridProps<T, K> & { row: T; id: string; span: number }) {
  const { t } = useTranslation()
  const go = useNavigate()
  const [open, setOpen] = useState(false)
  const chosen = selected?.includes(id) ?? false
  const openable = rowHref !== undefined || onOpen !== undefined
  const onClick = (e: MouseEvent) => {
    if (onControl(e)) return
    if (rowHref) void go(rowHref(row))
    else onOpen?.(row)
  }
  return (
    <Fragment>
      <tr className={openable ? 'kp-row-opens' : undefined} aria-selected={onSelect ? chosen : undefined} onClick={openable ? onClick : undefined}>
        {expand && (
          <td className="kp-grid-tool">
            <button type="button" className="kp-fold" aria-expanded={open} aria-label={t('table.details')} onClick={() => setOpen(!open)}>
              <ChevronRight size={15} aria-hidden />
            </button>
          </td>
        )}
        {onSelect && (
          <td className="kp-grid-tool">
            <input
              type="checkbox"
              aria-label={t('table.select')}
              checked={chosen}
              onChange={() => onSelect(chosen ? (selected ?? []).filter((k) => k !== id) : [...(selected ?? []), id])}
            />
          </td>
        )}
        {columns.map((c, i) => (
          <td key={c.key} className={cellClass(c)} style={c.clip ? { maxWidth: c.width ?? 280 } : undefined}>
            {i === 0 ? <Opener row={row} rowHref={rowHref} onOpen={onOpen} render={c.render} /> : c.render(row)}
          </td>
        ))}
      </tr>
      {expand && open && (
        <tr className="kp-grid-below">
          <td colSpan={span}>{expand(row)}</td>
        </tr>
      )}
    </Fragment>
  )
}

/** The first cell is what the keyboard opens a row with. */
function Opener<T>({ row, rowHref, onOpen, render }: { row: T; rowHref?: (row: T) => string; onOpen?: (row: T) => void; render: (row: T) => ReactNode }) {
  if (rowHref) {
    return (
      <Link className="kp-cell-link" to={rowHref(row)}>
        {render(row)}
      </Link>
    )
  }
  if (onOpen) {
    return (
      <button type="button" className="kp-cell-link" onClick={() => onOpen(row)}>
        {render(row)}
      </button>
    )
  }
  return render(row)
}
