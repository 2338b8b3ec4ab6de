import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { ChannelRow, Overview } from '@/shared/api/types'
import { useChannelName } from '@/shared/lib/channels'
import { formatInt, formatMoney, formatPercent } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import type { Sort } from '@/shared/lib/url'
import { Grid, type Column } from '@/shared/ui/Grid'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { peopleLink, type Scope } from '../links'
import css from './ChannelsPanel.module.css'

type Key = 'size' | 'new' | 'buyers' | 'revenue' | 'averageOrder' | 'repeatRate'

/** The people behind each column's numbers. */
const METRIC: Record<Key, string> = { size: 'size', new: 'new', buyers: 'buyers', revenue: 'buyers', averageOrder: 'buyers', repeatRate: 'repeat' }
/** Columns drawn with a bar, so that good and bad channels stand out without reading. */
const BARS = new Set<Key>(['size', 'averageOrder', 'repeatRate'])

interface Props {
  channels: ChannelRow[]
  kpis: Overview['kpis']
  scope: Scope
}

/** How many people each channel brought, and how good they are. */
export function ChannelsPanel({ channels, kpis, scope }: Props) {
  const { t } = useTranslation('overview')
  const { lang } = usePrefs()
  const name = useChannelName()
  const [sort, setSort] = useState<Sort<Key>>()
  const write: Record<Key, (v: number) => string> = {
    size: (v) => formatInt(v, lang),
    new: (v) => formatInt(v, lang),
    buyers: (v) => formatInt(v, lang),
    revenue: (v) => formatMoney({ amount: v, currency: scope.currency }, lang, { whole: true }),
    averageOrder: (v) => formatMoney({ amount: v, currency: scope.currency }, lang, { whole: true }),
    repeatRate: (v) => formatPercent(v, lang),
  }
  const top = (key: Key) => Math.max(0, ...channels.map((c) => c[key]))
  // With one channel picked there is nothing to compare it with.
  const pond = (key: Key) => (scope.channel ? undefined : kpis.find((k) => k.key === key)?.value)

  const column = (key: Key, width: number): Column<ChannelRow, Key> => ({
    key,
    title: t(`channels.${key}`),
    width,
    align: BARS.has(key) ? 'left' : 'right',
    sort: key,
    render: (row) => {
      const text = write[key](row[key])
      const body = BARS.has(key) ? <Bar value={row[key]} top={top(key)} mark={key === 'size' ? undefined : pond(key)} text={text} /> : text
      if (row[key] === 0) return <span className={css.zero}>{body}</span>
      return (
        <Figure to={peopleLink(METRIC[key], { ...scope, channel: row.channel })} label={t('channels.open', { channel: name(row.channel), what: t(`channels.${key}`), value: text })}>
          {body}
        </Figure>
      )
    },
  })
  return (
    <Panel title={t('channels.title')} desc={t('channels.desc')} flush className={css.panel}>
      {channels.length === 0 ? (
        <Empty title={t('channels.empty')} />
      ) : (
        <Grid<ChannelRow, Key>
          label={t('channels.title')}
          rows={sorted(channels, sort)}
          rowKey={(row) => row.channel}
          sort={sort}
          onSort={setSort}
          columns={[
            { key: 'channel', title: t('channels.channel'), render: (row) => name(row.channel) },
            column('size', 96),
            column('new', 50),
            column('buyers', 66),
            column('revenue', 76),
            column('averageOrder', 98),
            column('repeatRate', 98),
          ]}
        />
      )}
    </Panel>
  )
}

/** The rows in the order asked for; the server's own order otherwise. */
function sorted(rows: ChannelRow[], sort: Sort<Key> | undefined): ChannelRow[] {
  if (!sort) return rows
  const sign = sort.order === 'asc' ? 1 : -1
  return [...rows].sort((a, b) => sign * (a[sort.sort] - b[sort.sort]))
}

function Figure({ to, label, children }: { to: string; label: string; children: ReactNode }) {
  return (
    <Link className={css.figure} to={to} aria-label={label}>
      {children}
    </Link>
  )
}

/** A number as a bar against the best channel, with a mark where the whole pond is. */
function Bar({ value, top, mark, text }: { value: number; top: number; mark: number | undefined; text: string }) {
  const at = (v: number) => `${top > 0 ? Math.max(0, Math.min(1, v / top)) * 100 : 0}%`
  return (
    <span className={css.bar}>
      <i aria-hidden>
        <b className={mark !== undefined && value < mark ? css.under : undefined} style={{ width: at(value) }} />
        {mark !== undefined && mark > 0 && mark <= top && <s style={{ insetInlineStart: at(mark) }} />}
      </i>
      <span>{text}</span>
    </span>
  )
}
