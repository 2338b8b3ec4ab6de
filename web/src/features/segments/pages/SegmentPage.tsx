import { useQuery } from '@tanstack/react-query'
import { ListFilter, Pencil, UserPlus } from 'lucide-react'
import { Fragment, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate, useParams } from 'react-router'
import type { Segment } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import type { ContactSelection, SelectionAction } from '@/shared/lib/selection'
import { useCan } from '@/shared/lib/session'
import { useUrlChoice, useUrlText } from '@/shared/lib/url'
import { Chip } from '@/shared/ui/chips'
import { Alert, Button, Tabs } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty, QueryState } from '@/shared/ui/states'
import { Uses } from '@/shared/ui/Uses'
import { TimeAgo } from '@/shared/ui/values'
import { AddPeople } from '../components/AddPeople'
import { Growth, WeekTrend } from '../components/Growth'
import { History } from '../components/History'
import type { PeopleSource } from '../components/people'
import { SegmentMenu } from '../components/SegmentMenu'
import { SegmentState } from '../components/SegmentState'
import css from '../components/segments.module.css'
import { Snapshots } from '../components/Snapshots'
import { Typical } from '../components/Typical'
import { Why } from '../components/Why'
import { membersPage, segmentQuery, usesQuery } from '../queries'
import { contactsLink, inSegment } from '../templates'

const TABS = ['members', 'typical', 'why', 'snapshots', 'history'] as const
type Tab = (typeof TABS)[number]

interface Props {
  /** Shows people; whoever composes the page knows how. */
  people: (p: PeopleSource) => ReactNode
  /** What can be done with everybody in the segment. */
  actions?: readonly SelectionAction[]
}

/** One segment: how many are in it and why, how it grew, and who they are. */
export function SegmentPage({ people, actions = [] }: Props) {
  const { id = '' } = useParams()
  const { lang } = usePrefs()
  const query = useQuery(segmentQuery(id, lang))
  return <QueryState query={query} height={400}>{(s) => <Body segment={s} people={people} actions={actions} />}</QueryState>
}

function Body({ segment: s, people, actions }: { segment: Segment; people: Props['people']; actions: readonly SelectionAction[] }) {
  const { t } = useTranslation('segments')
  const go = useNavigate()
  const mayWrite = useCan('segment.write')
  const mayRead = useCan('contact.read')
  const [tab, setTab] = useUrlChoice<Tab>('tab', TABS, 'members')
  const [person, setPerson] = useUrlText('person')
  const [adding, setAdding] = useState(false)
  const dynamic = s.kind === 'dynamic'
  const everybody: ContactSelection = { body: { filter: { kind: 'person', where: inSegment(s.id) } }, count: s.members, rows: [], done: () => undefined }
  const tabs: Record<Tab, ReactNode> = {
    members: (
      <Panel flush>
        {people({
          label: t('tab.members'),
          source: membersPage(s.id),
          empty: <Empty title={t('members.none')} desc={dynamic ? t('members.noneDynamic') : t('members.noneStatic')} />,
          extra: (
            <span className={css.actions} role="group" aria-label={t('members.withAll')}>
              {s.members > 0 && s.status !== 'archived' && actions.map((a) => <Fragment key={a.key}>{a.show(everybody)}</Fragment>)}
              <Button size="small" icon={<ListFilter size={14} aria-hidden />} onClick={() => void go(contactsLink(inSegment(s.id)))}>
                {t('members.inList')}
              </Button>
            </span>
          ),
        })}
      </Panel>
    ),
    typical: <Typical id={s.id} />,
    why: (
      <Panel title={t('why.title')} desc={dynamic ? t('why.desc') : t('why.listDesc')}>
        <Why segment={s} person={person || undefined} onPerson={(p) => setPerson(p ?? '')} />
      </Panel>
    ),
    snapshots: <Snapshots segment={s} people={people} />,
    history: <History id={s.id} />,
  }
  const shown = TABS.filter((k) => mayRead || k === 'history')
  return (
    <Page>
      <PageHead
        title={s.name}
        heading={
          <span className={css.heading}>
            {s.name} <Chip tone={dynamic ? 'info' : 'neutral'}>{t(`kind.${s.kind}`)}</Chip> <SegmentState segment={s} />
          </span>
        }
        desc={s.note}
        back={{ to: '/segments', label: t('title') }}
        extra={
          <>
            {!dynamic && mayWrite && s.status !== 'archived' && (
              <Button type="primary" icon={<UserPlus size={15} aria-hidden />} onClick={() => setAdding(true)}>
                {t('people.open')}
              </Button>
            )}
            {mayWrite && s.status !== 'archived' && (
              <Button icon={<Pencil size={15} aria-hidden />} onClick={() => void go(`/segments/${s.id}/edit`)}>
                {t('edit.open')}
              </Button>
            )}
            <SegmentMenu segment={s} />
          </>
        }
      />
      {s.fault && <Alert type="error" showIcon role="alert" title={s.fault} />}
      <div className={css.head}>
        <Facts segment={s} />
        <Growth id={s.id} />
      </div>
      <Tabs activeKey={tab} onChange={(k) => setTab(k as Tab)} destroyOnHidden items={shown.map((k) => ({ key: k, label: t(`tab.${k}`), children: tabs[k] }))} />
      {adding && <AddPeople segment={s} onClose={() => setAdding(false)} />}
    </Page>
  )
}

/** The number, what it means, and where it is used. */
function Facts({ segment: s }: { segment: Segment }) {
  const { t } = useTranslation('segments')
  const { lang } = usePrefs()
  const uses = useQuery(usesQuery(s.id))
  return (
    <Panel>
      <p className={css.big}>
        <b className="kp-num">{formatInt(s.members, lang)}</b>
        <span>{t('estimate.people')}</span>
      </p>
      <p className={css.week}>
        <WeekTrend id={s.id} /> <small className="kp-muted">{t('col.week')}</small>
      </p>
      {s.sentence && <p className={css.sentence}>{s.sentence}</p>}
      <dl className={css.facts}>
        <dt>{t('col.owner')}</dt>
        <dd>{s.owner?.name ?? s.createdBy.name}</dd>
        <dt>{t('col.changed')}</dt>
        <dd>
          <TimeAgo at={s.changedAt} />
        </dd>
        {s.countedAt && (
          <>
            <dt>{t('facts.moved')}</dt>
            <dd>
              <TimeAgo at={s.countedAt} />
            </dd>
          </>
        )}
        <dt>{t('col.uses')}</dt>
        <dd>{uses.data ? <Uses items={uses.data.items} /> : '…'}</dd>
      </dl>
    </Panel>
  )
}
