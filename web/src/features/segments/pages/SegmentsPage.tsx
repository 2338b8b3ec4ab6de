import { useQuery } from '@tanstack/react-query'
import { CircleFadingPlus, GitCompareArrows, Plus, Target } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Link, useNavigate } from 'react-router'
import { wholeList } from '@/shared/api/cursor'
import type { Segment } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { useUrlChoice, useUrlText } from '@/shared/lib/url'
import { Chip } from '@/shared/ui/chips'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { FilterBar, FilterSelect, SearchBox } from '@/shared/ui/FilterBar'
import { Button, Segmented } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { None, TimeAgo } from '@/shared/ui/values'
import { Uses } from '@/shared/ui/Uses'
import { WeekTrend } from '../components/Growth'
import { SegmentState } from '../components/SegmentState'
import css from '../components/segments.module.css'
import { segmentsQuery, usesQuery } from '../queries'
import { TEMPLATES } from '../templates'

const SHELVES = ['used', 'archived'] as const

/** The segments: how many are in each, how that changed, and whether it is up to date. */
export default function SegmentsPage() {
  const { t } = useTranslation('segments')
  const { lang } = usePrefs()
  const go = useNavigate()
  const mayWrite = useCan('segment.write')
  const [q, setQ] = useUrlText('q')
  const [folder, setFolder] = useUrlText('folder')
  const [shelf, setShelf] = useUrlChoice('shelf', SHELVES, 'used')
  const query = useQuery(segmentsQuery(lang, shelf === 'archived'))
  const text = q.trim().toLowerCase()
  const whole = wholeList<Segment>(query)
  const items = whole.items.filter((s) => (folder === '' || s.folder === folder) && `${s.name} ${s.note ?? ''} ${s.sentence ?? ''}`.toLowerCase().includes(text))
  const columns = useColumns()
  const create = mayWrite && (
    <Button type="primary" icon={<Plus size={15} aria-hidden />} onClick={() => void go('/segments/new')}>
      {t('list.create')}
    </Button>
  )
  return (
    <Page>
      <PageHead
        title={t('title')}
        desc={t('desc')}
        extra={
          <>
            <Button icon={<GitCompareArrows size={15} aria-hidden />} onClick={() => void go('/segments/overlap')}>
              {t('overlap.title')}
            </Button>
            {mayWrite && (
              <Button icon={<CircleFadingPlus size={15} aria-hidden />} onClick={() => void go('/segments/new?kind=static')}>
                {t('list.createStatic')}
              </Button>
            )}
            {create}
          </>
        }
      />
      <Panel flush>
        <FilterBar extra={query.data && <span className="kp-muted kp-num">{t('list.total', { count: items.length })}</span>}>
          <SearchBox value={q} onChange={setQ} placeholder={t('list.search')} />
          {(query.data?.folders.length ?? 0) > 0 && (
            <FilterSelect label={t('form.folder')} value={folder || undefined} onChange={(f) => setFolder(f ?? '')} options={(query.data?.folders ?? []).map((f) => ({ value: f, label: f }))} searchable />
          )}
          <Segmented aria-label={t('list.shelf')} value={shelf} onChange={setShelf} options={SHELVES.map((s) => ({ value: s, label: t(`list.${s}`) }))} />
        </FilterBar>
        <DataTable
          label={t('title')}
          list={{ ...whole, items, total: items.length }}
          columns={columns}
          rowKey={(s) => s.id}
          rowHref={(s) => `/segments/${s.id}`}
          columnsKey="segments"
          filtered={q !== '' || folder !== ''}
          onClearFilters={() => {
            setQ('')
            setFolder('')
          }}
          empty={shelf === 'archived' ? <Empty title={t('list.noArchived')} /> : <Start action={create} />}
        />
      </Panel>
    </Page>
  )
}

/** Nothing yet: three segments that most companies want, one click away from being theirs. */
function Start({ action }: { action: React.ReactNode }) {
  const { t } = useTranslation('segments')
  const may = useCan('segment.write')
  return (
    <div className={css.start}>
      <Empty icon={<Target size={26} strokeWidth={1.5} aria-hidden />} title={t('list.empty')} desc={t('list.emptyDesc')} action={action || undefined} />
      {may && (
        <ul className={css.templates}>
          {TEMPLATES.map((k) => (
            <li key={k}>
              <Link to={`/segments/new?template=${k}`}>
                <b>{t(`template.${k}.name`)}</b>
                <span>{t(`template.${k}.why`)}</span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}

function useColumns(): Column<Segment>[] {
  const { t } = useTranslation('segments')
  const { lang } = usePrefs()
  return [
    {
      key: 'name',
      title: t('col.name'),
      width: 280,
      clip: true,
      render: (s) => (
        <span className={css.name}>
          {s.name}
          <small>{s.note || s.sentence || (s.kind === 'static' ? t('kind.staticHint') : '')}</small>
        </span>
      ),
    },
    { key: 'kind', title: t('col.kind'), render: (s) => <Chip tone={s.kind === 'dynamic' ? 'info' : 'neutral'}>{t(`kind.${s.kind}`)}</Chip> },
    { key: 'members', title: t('col.members'), align: 'right', render: (s) => <b>{formatInt(s.members, lang)}</b> },
    { key: 'week', title: t('col.week'), render: (s) => <WeekTrend id={s.id} /> },
    { key: 'state', title: t('col.state'), render: (s) => <SegmentState segment={s} /> },
    { key: 'folder', title: t('form.folder'), render: (s) => s.folder ?? <None /> },
    { key: 'owner', title: t('col.owner'), render: (s) => s.owner?.name ?? <None /> },
    { key: 'changed', title: t('col.changed'), render: (s) => <TimeAgo at={s.changedAt} /> },
    { key: 'uses', title: t('col.uses'), optional: true, render: (s) => <RowUses id={s.id} /> },
  ]
}

function RowUses({ id }: { id: string }) {
  const { data } = useQuery(usesQuery(id))
  return data ? <Uses items={data.items} plain /> : <None />
}
