import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { ContactRow } from '@/shared/api/types'
import { useChannelName } from '@/shared/lib/channels'
import { usePrefs } from '@/shared/lib/prefs'
import { TagList } from '@/shared/ui/chips'
import type { Column } from '@/shared/ui/DataTable'
import { Count, DateTime, Money, None, Person, TimeAgo } from '@/shared/ui/values'
import { ruleFieldsQuery } from '@/shared/rules/queries'
import type { SortKey } from '../filters'
import css from './columns.module.css'
import { StageChip } from './StageChip'

/** What a contact without a name is called. */
export function useContactName(): (row: Pick<ContactRow, 'name' | 'kind' | 'id'>) => string {
  const { t } = useTranslation('contacts')
  return ({ name, kind }) => name || (kind === 'visitor' ? t('unnamed.visitor') : t('unnamed.person'))
}

/** The end of an id, which tells nameless visitors apart. */
const tailOf = (id: string) => id.slice(-8)

/** Columns that are custom attributes begin with this, as the columns of exports do. */
const ATTRIBUTE = 'attr:'

/** The attributes that columns ask for; the server takes at most twenty. */
export const attributesOf = (columns: string[] | undefined) => columns?.filter((k) => k.startsWith(ATTRIBUTE)).map((k) => k.slice(ATTRIBUTE.length)).slice(0, 20) ?? []

/** The attributes as columns, none of which is shown unless chosen. */
export function useAttributeColumns(): Column<ContactRow, SortKey>[] {
  const { lang } = usePrefs()
  const { data } = useQuery(ruleFieldsQuery(lang))
  return useMemo(
    () =>
      (data?.items ?? [])
        .filter((f) => f.group === 'attribute')
        .map((f) => ({
          key: ATTRIBUTE + (f.key ?? ''),
          title: f.label,
          width: 88,
          optional: true,
          render: (r) => r.attributes?.[f.key ?? ''] ?? <None />,
        })),
    [data],
  )
}

/** The columns of every list of contacts. Lists that cannot be sorted leave the sorting out. */
export function useContactColumns(sortable: boolean): Column<ContactRow, SortKey>[] {
  const { t } = useTranslation('contacts')
  const channel = useChannelName()
  const nameOf = useContactName()
  return useMemo(() => {
    const sort = (key: SortKey) => (sortable ? key : undefined)
    return [
      { key: 'name', title: t('col.name'), sort: sort('name'), fixed: true, width: 136, render: (r) => <Person name={nameOf(r)} sub={r.phone ?? r.email ?? (r.name ? undefined : tailOf(r.id))} /> },
      { key: 'email', title: t('col.email'), optional: true, render: (r) => r.email ?? <None /> },
      { key: 'city', title: t('col.city'), width: 60, render: (r) => r.city || <None /> },
      {
        key: 'channel',
        title: t('col.channel'),
        width: 88,
        render: (r) => (r.channel ? <span className={css.channel} data-channel={r.channel}>{channel(r.channel)}</span> : <None />),
      },
      { key: 'tags', title: t('col.tags'), render: (r) => (r.tags.length ? <TagList tags={r.tags} /> : <None />) },
      { key: 'owner', title: t('col.owner'), width: 50, render: (r) => r.owner?.name ?? <None /> },
      { key: 'orders', title: t('col.orders'), align: 'right', width: 46, sort: sort('orders'), render: (r) => (r.orders ? <Count value={r.orders} /> : <None />) },
      { key: 'revenue', title: t('col.revenue'), align: 'right', width: 72, sort: sort('revenue'), render: (r) => <Money value={r.revenue} whole /> },
      { key: 'lastSeen', title: t('col.lastSeen'), width: 96, sort: sort('lastSeen'), render: (r) => <TimeAgo at={r.lastSeenAt} /> },
      { key: 'stage', title: t('col.stage'), width: 72, optional: true, render: (r) => (r.stage ? <StageChip stage={r.stage} /> : <None />) },
      { key: 'pool', title: t('col.pool'), width: 80, optional: true, render: (r) => (r.pool ? <StageChip stage={r.pool} /> : <None />) },
      { key: 'created', title: t('col.created'), width: 84, sort: sort('created'), optional: true, render: (r) => <DateTime at={r.createdAt} dateOnly /> },
    ]
  }, [t, channel, nameOf, sortable])
}
