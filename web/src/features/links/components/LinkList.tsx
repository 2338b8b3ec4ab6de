import { Link2, Pencil, Plus } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { useCursorList } from '@/shared/api/cursor'
import type { ShortLink } from '@/shared/api/types'
import { useChannelName, useChannelOptions } from '@/shared/lib/channels'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { formatAgo } from '@/shared/lib/time'
import { useUrlChoice, useUrlPatch, useUrlText } from '@/shared/lib/url'
import { DataTable } from '@/shared/ui/DataTable'
import { FilterBar, FilterPills, FilterSelect, SearchBox } from '@/shared/ui/FilterBar'
import { Button } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { linksPage } from '../queries'
import { LinkDrawer } from './LinkDrawer'
import css from './links.module.css'

const STATES = ['active', 'paused', 'expired'] as const

/** All links, the newest first. */
export function LinkList({ onEdit, onNew }: { onEdit?: (link: ShortLink) => void; onNew?: () => void }) {
  const { t } = useTranslation('links')
  const { lang } = usePrefs()
  const patch = useUrlPatch()
  const channelName = useChannelName()
  const channels = useChannelOptions()
  const [q, setQ] = useUrlText('q')
  const [channel, setChannel] = useUrlText('channel')
  const [state, setState] = useUrlChoice('state', STATES)
  const [open, setOpen] = useUrlText('link')
  const list = useCursorList(linksPage({ q: q || undefined, channel: channel || undefined, state }))
  const filtered = !!(q || channel || state)
  const clear = () => patch({ q: '', channel: '', state: '' })
  return (
    <Panel flush>
      <FilterBar active={filtered} onClear={clear} extra={list.total !== undefined && <span className="kp-muted kp-num">{t('list.total', { total: formatInt(list.total, lang) })}</span>}>
        <SearchBox value={q} onChange={setQ} placeholder={t('list.search')} width={240} />
        <FilterPills label={t('list.state')} value={state ?? ''} onChange={(v) => setState(STATES.find((s) => s === v))} options={STATES.map((s) => ({ value: s, label: t(`state.${s}`) }))} />
        <FilterSelect label={t('list.channel')} value={channel || undefined} onChange={(id) => setChannel(id ?? '')} options={channels} width={200} />
      </FilterBar>
      <DataTable<ShortLink>
        label={t('title')}
        list={list}
        rowKey={(l) => l.code}
        onOpen={(l) => setOpen(l.code)}
        filtered={filtered}
        onClearFilters={clear}
        columns={[
          {
            key: 'title',
            title: t('list.title'),
            clip: true,
            render: (l) => (
              <span className={css.title}>
                <b>{l.title}</b>
                <small className="kp-muted">{l.path}</small>
              </span>
            ),
          },
          { key: 'target', title: t('list.target'), clip: true, render: (l) => <span className="kp-muted">{l.target}</span> },
          { key: 'channel', title: t('list.channel'), render: (l) => (l.channel ? channelName(l.channel) : t('none')) },
          { key: 'state', title: t('list.state'), render: (l) => t(`state.${l.state}`) },
          { key: 'opens', title: t('list.opens'), align: 'right', render: (l) => formatInt(l.opens, lang) },
          { key: 'people', title: t('list.people'), align: 'right', render: (l) => formatInt(l.people, lang) },
          { key: 'last', title: t('list.last'), render: (l) => (l.lastOpenAt ? formatAgo(l.lastOpenAt, lang) : t('none')) },
          ...(onEdit ? [{ key: 'edit', title: '', render: (l: ShortLink) => <Button type="text" size="small" icon={<Pencil size={14} aria-hidden />} aria-label={t('list.edit', { title: l.title })} onClick={() => onEdit(l)} /> }] : []),
        ]}
        empty={
          <Empty
            icon={<Link2 size={26} strokeWidth={1.5} aria-hidden />}
            title={t('list.empty')}
            desc={t('list.emptyDesc')}
            action={
              onNew && (
                <Button type="primary" icon={<Plus size={15} aria-hidden />} onClick={onNew}>
                  {t('form.new')}
                </Button>
              )
            }
          />
        }
      />
      {open && <LinkDrawer code={open} onClose={() => setOpen('')} />}
    </Panel>
  )
}
