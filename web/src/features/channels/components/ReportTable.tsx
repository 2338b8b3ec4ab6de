import { Pencil } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { ChannelLine, ChannelReport } from '@/shared/api/types'
import { useTimezone } from '@/shared/lib/session'
import { Grid, type Column } from '@/shared/ui/Grid'
import { Button } from '@/shared/ui/kit'
import { Change } from '@/shared/ui/Kpi'
import { COLUMNS, DOWN, figureChange, ordersOf, peopleOf, useFigureText, type Key } from '../figures'
import type { ReportScope } from '../queries'
import css from './channels.module.css'

interface Props {
  report: ChannelReport
  scope: ReportScope
  /** The channel whose trend is shown. */
  picked?: string
  onPick: (line: ChannelLine) => void
  onEdit?: (id: string) => void
}

/** Figures whose change against the period before is shown beside them. */
const MOVED = new Set<Key>(['new', 'revenue', 'cac', 'roi'])

/** The tree of channels with their figures; those above include those below. */
export function ReportTable({ report, scope, picked, onPick, onEdit }: Props) {
  const { t } = useTranslation('channels')
  const write = useFigureText(report.currency)
  const zone = useTimezone()
  const column = (key: Key): Column<ChannelLine> => ({
    key,
    title: t(`figure.${key}`),
    align: 'right',
    render: (line) => {
      const value = line.now[key]
      const text = write(key, value)
      const to = key === 'lastRevenue' ? ordersOf(line.channel, value, scope, zone) : value ? peopleOf(key, { ...scope, channel: line.channel }) : undefined
      const change = MOVED.has(key) ? figureChange(key, line.now, line.before) : undefined
      return (
        <span className={css.cell}>
          {to ? (
            <Link to={to} aria-label={t('table.open', { channel: line.name, what: t(`figure.${key}`), value: text })}>
              {text}
            </Link>
          ) : (
            <span className={value ? undefined : css.zero}>{text}</span>
          )}
          {change !== undefined && (
            <small>
              <Change value={change} downIsGood={DOWN.has(key)} />
            </small>
          )}
        </span>
      )
    },
  })
  return (
    <Grid<ChannelLine>
      label={t('table.title')}
      rows={report.items}
      rowKey={(line) => line.channel}
      columns={[
        {
          key: 'channel',
          title: t('table.channel'),
          fixed: true,
          render: (line) => (
            <span className={css.name} style={{ paddingInlineStart: line.depth * 18 }}>
              <button type="button" className={css.pick} aria-pressed={picked === line.channel} onClick={() => onPick(line)}>
                {line.name}
              </button>
              {line.archived && <small className="kp-muted">{t('table.archived')}</small>}
              {line.owner && <small className="kp-muted">{line.owner.name}</small>}
            </span>
          ),
        },
        ...COLUMNS.map(column),
        ...(onEdit
          ? [
              {
                key: 'edit',
                title: '',
                render: (line: ChannelLine) => (
                  <Button type="text" size="small" icon={<Pencil size={14} aria-hidden />} aria-label={t('table.edit', { channel: line.name })} onClick={() => onEdit(line.channel)} />
                ),
              },
            ]
          : []),
      ]}
    />
  )
}
