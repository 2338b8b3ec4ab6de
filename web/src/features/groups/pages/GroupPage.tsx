import { useQuery } from '@tanstack/react-query'
import { UserRound } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Link, useParams } from 'react-router'
import { useCursorList } from '@/shared/api/cursor'
import type { GroupDetail, GroupMember } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useUrlChoice, useUrlPatch } from '@/shared/lib/url'
import { Chart } from '@/shared/ui/Chart'
import { Chip } from '@/shared/ui/chips'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { FilterBar, FilterSelect } from '@/shared/ui/FilterBar'
import { Kpi } from '@/shared/ui/Kpi'
import { Alert } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty, QueryState } from '@/shared/ui/states'
import { Count, DateTime, NameMark, None } from '@/shared/ui/values'
import css from '../components/groups.module.css'
import { groupQuery, membersPage } from '../queries'

/** One customer group: how it grew, who its people are, and each of them. */
export default function GroupPage() {
  const { account = '', id = '' } = useParams()
  const query = useQuery(groupQuery(account, id))
  return (
    <Page>
      <QueryState query={query} height={500}>
        {(g) => <View group={g} />}
      </QueryState>
    </Page>
  )
}

function View({ group: g }: { group: GroupDetail }) {
  const { t } = useTranslation('groups')
  const { lang } = usePrefs()
  const int = (n: number) => formatInt(n, lang)
  return (
    <>
      <PageHead
        title={g.name || t('unnamed')}
        back={{ to: '/groups', label: t('title') }}
        desc={
          <>
            {t('ownedBy', { name: g.ownerName })}
            {g.createdAt && (
              <>
                {' · '}
                {t('column.created')} <DateTime at={g.createdAt} dateOnly />
              </>
            )}
          </>
        }
      />
      {g.ownerLeft && <Alert type="warning" showIcon title={t('ownerLeftNote')} style={{ marginBottom: 12 }} />}
      {g.state === 'dismissed' && <Alert type="info" showIcon title={t('dismissedNote')} description={<DateTime at={g.endedAt} />} style={{ marginBottom: 12 }} />}
      <div className={css.numbers}>
        <Kpi label={t('column.customers')} value={int(g.customers)} />
        <Kpi label={t('number.friends')} value={int(g.friends)} hint={t('number.friendsHint')} />
        <Kpi label={t('column.joined')} value={int(g.joined)} />
        <Kpi label={t('column.gone')} value={int(g.gone)} />
      </div>
      <div className={css.two}>
        <Panel title={t('growth.title')} desc={t('growth.desc')}>
          <Chart
            label={t('growth.title')}
            bucketTitle={t('growth.day')}
            buckets={g.days.map((d) => d.date)}
            series={[
              { key: 'size', name: t('growth.size'), values: g.days.map((d) => d.size) },
              { key: 'joined', name: t('growth.joined'), values: g.days.map((d) => d.joined) },
              { key: 'gone', name: t('growth.gone'), values: g.days.map((d) => d.gone) },
            ]}
            format={int}
            height={220}
          />
        </Panel>
        <Panel title={t('layer.title')}>
          <Layers group={g} />
        </Panel>
      </div>
      <Members group={g} />
    </>
  )
}

const LAYERS = ['core', 'active', 'newcomer', 'quiet'] as const

function Layers({ group: g }: { group: GroupDetail }) {
  const { t } = useTranslation('groups')
  const { lang } = usePrefs()
  return (
    <ul className={css.layers}>
      {LAYERS.map((l) => {
        const n = g.layers[l] ?? 0
        return (
          <li key={l}>
            <span>{t(`layer.${l}`)}</span>
            <span className={css.track} aria-hidden>
              <i style={{ width: `${g.customers > 0 ? (100 * n) / g.customers : 0}%` }} />
            </span>
            <span className="kp-num">{formatInt(n, lang)}</span>
            <small>{t(`layer.${l}Is`)}</small>
          </li>
        )
      })}
    </ul>
  )
}

const KINDS = ['customer', 'staff'] as const
const WHO = ['friends', 'strangers'] as const

function Members({ group: g }: { group: GroupDetail }) {
  const { t } = useTranslation('groups')
  const patch = useUrlPatch()
  const [layer, setLayer] = useUrlChoice('layer', LAYERS)
  const [kind, setKind] = useUrlChoice('kind', KINDS)
  const [who, setWho] = useUrlChoice('who', WHO)
  const [gone, setGone] = useUrlChoice('gone', ['gone'] as const)
  const list = useCursorList(membersPage(g.account, g.id, { layer, kind, who, gone: gone === 'gone' || undefined }))
  const filtered = layer !== undefined || kind !== undefined || who !== undefined || gone !== undefined
  const clear = () => patch({ layer: '', kind: '', who: '', gone: '' })
  const columns: Column<GroupMember>[] = [
    { key: 'name', title: t('column.member'), fixed: true, render: (m) => <Who member={m} /> },
    { key: 'kind', title: t('column.kind'), render: (m) => <Kind member={m} /> },
    { key: 'layer', title: t('layer.title'), render: (m) => (m.layer ? t(`layer.${m.layer}`) : <None />) },
    { key: 'scene', title: t('column.scene'), render: (m) => (m.scene ? t(`scene.${m.scene === 1 || m.scene === 2 || m.scene === 3 ? m.scene : 'other'}`) : <None />) },
    { key: 'invitor', title: t('column.invitor'), render: (m) => m.invitor ?? <None /> },
    { key: 'brought', title: t('column.brought'), align: 'right', render: (m) => (m.brought ? <Count value={m.brought} /> : <None />) },
    { key: 'joined', title: t('column.joinedAt'), render: (m) => <DateTime at={m.joinedAt} /> },
    ...(gone ? [{ key: 'left', title: t('column.leftAt'), render: (m: GroupMember) => <DateTime at={m.leftAt} /> }] : []),
  ]
  return (
    <Panel flush title={t('members')}>
      <FilterBar active={filtered} onClear={clear}>
        <FilterSelect label={t('column.kind')} value={kind} onChange={setKind} options={KINDS.map((k) => ({ value: k, label: t(`kind.${k}`) }))} />
        <FilterSelect label={t('layer.title')} value={layer} onChange={setLayer} options={LAYERS.map((l) => ({ value: l, label: t(`layer.${l}`) }))} />
        <FilterSelect label={t('filter.who')} value={who} onChange={setWho} options={WHO.map((w) => ({ value: w, label: t(`filter.${w}`) }))} />
        <FilterSelect label={t('filter.now')} value={gone} onChange={setGone} options={[{ value: 'gone', label: t('filter.gone') }]} />
      </FilterBar>
      <DataTable label={t('members')} list={list} columns={columns} rowKey={(m) => m.id} filtered={filtered} onClearFilters={clear} empty={<Empty title={t('nobody.title')} desc={t('nobody.desc')} />} />
    </Panel>
  )
}

function Who({ member: m }: { member: GroupMember }) {
  const { t } = useTranslation('groups')
  return (
    <span className={css.name}>
      <NameMark name={m.name} size={26} />
      <span>
        {m.contactId ? <Link to={`/contacts/${m.contactId}`}>{m.name}</Link> : m.name}
        {m.owner && <small>{t('column.owner')}</small>}
      </span>
    </span>
  )
}

function Kind({ member: m }: { member: GroupMember }) {
  const { t } = useTranslation('groups')
  if (m.kind === 'staff') return <Chip>{t('kind.staff')}</Chip>
  return m.friend ? (
    <Chip tone="good" icon={<UserRound size={12} aria-hidden />}>
      {t('kind.friend')}
    </Chip>
  ) : (
    <Chip tone="warn">{t('kind.stranger')}</Chip>
  )
}
