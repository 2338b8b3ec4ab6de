import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useCursorList } from '@/shared/api/cursor'
import type { CorpMember } from '@/shared/api/types'
import { useUrlChoice, useUrlPatch, useUrlText } from '@/shared/lib/url'
import { Chip, StatusDot, type Tone } from '@/shared/ui/chips'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { FilterBar, FilterSelect, SearchBox } from '@/shared/ui/FilterBar'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { Count, NameMark, None } from '@/shared/ui/values'
import { membersPage } from '../queries'
import { MemberDrawer } from './MemberDrawer'
import css from './staff.module.css'

const STATES = ['active', 'inactive', 'left'] as const
const TONES: Record<CorpMember['state'], Tone> = { active: 'good', inactive: 'neutral', left: 'warn' }

/** The colleagues of an account with their friends. */
export function Members({ account }: { account: string }) {
  const { t } = useTranslation('staff')
  const patch = useUrlPatch()
  const [state, setState] = useUrlChoice('state', STATES)
  const [text, setText] = useUrlText('q')
  const [who, setWho] = useUrlChoice('who', ['all'] as const)
  const [open, setOpen] = useState<CorpMember>()
  const list = useCursorList(membersPage({ account, state, serving: who === undefined, q: text || undefined }))
  const filtered = state !== undefined || text !== ''
  const clear = () => patch({ state: '', q: '' })
  const columns: Column<CorpMember>[] = [
    { key: 'name', title: t('column.name'), fixed: true, render: (m) => <Who member={m} /> },
    { key: 'departments', title: t('column.departments'), clip: true, render: (m) => (m.departments.length > 0 ? m.departments.join('、') : <None />) },
    { key: 'friends', title: t('column.friends'), align: 'right', render: (m) => <Count value={m.friends} /> },
    { key: 'added', title: t('column.added'), align: 'right', render: (m) => <Count value={m.addedToday} /> },
    { key: 'deleted', title: t('column.deleted'), align: 'right', render: (m) => (m.deletedToday > 0 ? <Chip tone="bad">{m.deletedToday}</Chip> : <Count value={0} />) },
    { key: 'user', title: t('column.user'), render: (m) => m.user?.name ?? <None /> },
    { key: 'state', title: t('column.state'), render: (m) => <StatusDot tone={TONES[m.state]}>{t(`state.${m.state}`)}</StatusDot> },
  ]
  return (
    <Panel flush>
      <FilterBar active={filtered} onClear={clear}>
        <SearchBox value={text} onChange={setText} placeholder={t('filter.search')} />
        <FilterSelect label={t('column.state')} value={state} onChange={setState} options={STATES.map((s) => ({ value: s, label: t(`state.${s}`) }))} />
        <FilterSelect label={t('filter.serving')} value={who} onChange={setWho} options={[{ value: 'all', label: t('filter.everybody') }]} />
      </FilterBar>
      <DataTable
        label={t('tab.members')}
        list={list}
        columns={columns}
        rowKey={(m) => m.id}
        onOpen={setOpen}
        filtered={filtered}
        onClearFilters={clear}
        empty={<Empty title={t('empty.title')} desc={t('empty.desc')} />}
      />
      <MemberDrawer member={open} onClose={() => setOpen(undefined)} />
    </Panel>
  )
}

function Who({ member: m }: { member: CorpMember }) {
  return (
    <span className={css.who}>
      <NameMark name={m.name} size={28} />
      <span>
        {m.name}
        <small>{m.position ? `${m.position} · ${m.id}` : m.id}</small>
      </span>
    </span>
  )
}
