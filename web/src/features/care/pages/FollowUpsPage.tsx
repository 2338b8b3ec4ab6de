import { useQuery, useQueryClient } from '@tanstack/react-query'
import { CalendarCheck } from 'lucide-react'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useCursorList } from '@/shared/api/cursor'
import type { FollowUp } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { useUrlChoice } from '@/shared/lib/url'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { useToast } from '@/shared/ui/feedback'
import { Button, Select, Tabs } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { DateTime } from '@/shared/ui/values'
import { BoardBar } from '../components/BoardBar'
import { DoneDialog } from '../components/DoneDialog'
import { Due } from '../components/Due'
import { useRowKeys } from '../components/useRowKeys'
import { Watch } from '../components/Watch'
import css from './FollowUpsPage.module.css'
import { boardPage, changeFollowUps, countsQuery } from '../queries'
import { BUCKETS } from '../when'

const WHOSE = ['me', 'team'] as const

/** The board: with whom to speak today, who was missed, what comes, what came of it. */
export default function FollowUpsPage() {
  const { t } = useTranslation('care')
  const may = useCan('contact.write')
  const client = useQueryClient()
  const toast = useToast()
  const [bucket, setBucket] = useUrlChoice('bucket', BUCKETS, 'today')
  const [whose, setWhose] = useUrlChoice('whose', WHOSE, 'me')
  const counts = useQuery(countsQuery(whose))
  const list = useCursorList({ ...boardPage(bucket, whose), refetchInterval: 60_000 })
  const [ending, setEnding] = useState<FollowUp>()
  const [chosen, setChosen] = useState<string[]>([])
  const box = useRef<HTMLDivElement>(null)
  const refresh = () => client.invalidateQueries({ queryKey: ['care'] })
  const postpone = async (f: FollowUp) => {
    try {
      await changeFollowUps({ ids: [f.id], postponeDays: 1 })
      toast.done(t('postponed'))
    } catch (error) {
      toast.failed(error)
    }
    await refresh()
  }
  const open = bucket !== 'done' && may
  const on = (run: (f: FollowUp) => void) => (row: number) => {
    const f = list.items[row]
    if (f) run(f)
  }
  useRowKeys(box, open ? { d: on(setEnding), p: on((f) => void postpone(f)) } : {})
  // Those no longer on screen are dropped: nobody acts on what they cannot see.
  const ids = open ? list.items.map((f) => f.id).filter((id) => chosen.includes(id)) : []
  const columns: Column<FollowUp>[] = [
    { key: 'contact', title: t('column.contact'), render: (f) => (f.contact ? <Link className="kp-clip kp-cell" title={f.contact.name} to={`/contacts/${f.contact.id}`}>{f.contact.name}</Link> : <span className="kp-muted">{t('outside')}</span>) },
    bucket === 'done' ? { key: 'ended', title: t('column.ended'), render: (f) => <DateTime at={f.endedAt} /> } : { key: 'due', title: t('column.due'), render: (f) => <Due followUp={f} /> },
    { key: 'type', title: t('column.type'), render: (f) => t(`type.${f.type}`) },
    { key: 'text', title: t('column.text'), render: (f) => <span className="kp-clip kp-cell" title={f.note || f.text}>{f.note || f.text}</span> },
    { key: 'who', title: t('column.assignee'), render: (f) => f.assignee.name },
    bucket === 'done'
      ? { key: 'outcome', title: t('done.outcome'), render: (f) => f.outcome && t(`outcome.${f.outcome}`) }
      : {
          key: 'do',
          title: '',
          align: 'right',
          render: (f) =>
            may && (
              <span className="kp-row">
                <Button size="small" type="primary" onClick={() => setEnding(f)}>
                  {t('done.do')}
                </Button>
                <Button size="small" onClick={() => void postpone(f)}>
                  {t('postpone')}
                </Button>
              </span>
            ),
        },
  ]
  const label = (b: (typeof BUCKETS)[number]) => (b === 'done' || !counts.data ? t(`bucket.${b}`) : t('bucketCount', { bucket: t(`bucket.${b}`), count: counts.data[b] }))
  return (
    <Page>
      <PageHead
        title={t('title')}
        desc={t('desc')}
        extra={
          <>
            <Watch whose={whose} />
            <Select aria-label={t('whose.label')} value={whose} style={{ minWidth: 140 }} onChange={(w: (typeof WHOSE)[number]) => setWhose(w)} options={WHOSE.map((value) => ({ value, label: t(`whose.${value}`) }))} />
          </>
        }
      />
      <Panel flush>
        <Tabs activeKey={bucket} onChange={(k) => setBucket(BUCKETS.find((b) => b === k))} items={BUCKETS.map((key) => ({ key, label: label(key) }))} style={{ paddingInline: 16 }} />
        {ids.length > 0 && (
          <BoardBar
            ids={ids}
            onDone={() => {
              setChosen([])
              return refresh()
            }}
          />
        )}
        <div ref={box}>
          <DataTable
            label={t(`bucket.${bucket}`)}
            list={list}
            columns={columns}
            rowKey={(f) => f.id}
            {...(open && { selected: ids, onSelect: setChosen })}
            empty={<Empty icon={<CalendarCheck size={26} strokeWidth={1.5} aria-hidden />} title={t(`empty.${bucket}`)} desc={t('emptyDesc')} />}
          />
        </div>
        {open && list.items.length > 0 && <p className={css.keys}>{t('keys')}</p>}
      </Panel>
      <DoneDialog followUp={ending} onClose={() => setEnding(undefined)} onSaved={refresh} />
    </Page>
  )
}
