import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Camera, Trash2 } from 'lucide-react'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { Schedule, Segment, Snapshot } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { useConfirm, useToast } from '@/shared/ui/feedback'
import { Button, Segmented, Select } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Empty, QueryState } from '@/shared/ui/states'
import { DateTime } from '@/shared/ui/values'
import { diffQuery, dropSnapshot, SEGMENTS_KEY, setSchedule, snapshotPeoplePage, snapshotsQuery, takeSnapshot } from '../queries'
import type { PeopleSource } from './people'
import css from './segments.module.css'

const PARTS = ['came', 'left', 'stayed'] as const
const EVERY = ['day', 'week', 'month'] as const
/** How many snapshots a schedule keeps when it is set here: about a month, half a year, two years. */
const KEEP = { day: 31, week: 26, month: 24 } as const

/** Who was in a segment at certain times, kept by hand or on a schedule, and who came and left since. */
export function Snapshots({ segment, people }: { segment: Segment; people: (p: PeopleSource) => ReactNode }) {
  const { t } = useTranslation('segments')
  const { lang } = usePrefs()
  const client = useQueryClient()
  const toast = useToast()
  const confirm = useConfirm()
  const may = useCan('segment.write')
  const { id } = segment
  const query = useQuery(snapshotsQuery(id))
  const [open, setOpen] = useState<string>()
  const refresh = () => client.invalidateQueries({ queryKey: [...SEGMENTS_KEY, 'one', id] })
  const act = async (work: () => Promise<unknown>) => {
    try {
      await work()
    } catch (error) {
      toast.failed(error)
    }
    await refresh()
  }
  const drop = (s: Snapshot) => confirm({ title: t('snapshot.dropTitle'), body: t('snapshot.dropBody'), ok: t('snapshot.drop'), danger: true, run: () => dropSnapshot(id, s.id) }).then((done) => (done ? refresh() : undefined))
  const every = segment.schedule?.every
  const chosen = query.data?.items.find((s) => s.id === open)
  return (
    <div className="kp-stack">
      <Panel
        title={t('snapshot.title')}
        desc={t('snapshot.desc')}
        extra={
          may && (
            <>
              <Select
                aria-label={t('snapshot.schedule')}
                value={every ?? 'never'}
                popupMatchSelectWidth={false}
                onChange={(v: Schedule['every'] | 'never') => void act(() => setSchedule(id, v === 'never' ? undefined : { every: v, keep: KEEP[v] }))}
                options={[{ value: 'never', label: t('snapshot.never') }, ...EVERY.map((e) => ({ value: e, label: t(`snapshot.every.${e}`) }))]}
              />
              <Button icon={<Camera size={15} aria-hidden />} onClick={() => void act(() => takeSnapshot(id, ''))}>
                {t('snapshot.take')}
              </Button>
            </>
          )
        }
      >
        <QueryState query={query} height={120}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty icon={<Camera size={26} strokeWidth={1.5} aria-hidden />} title={t('snapshot.none')} desc={t('snapshot.noneDesc')} />
            ) : (
              <ul className={css.snapshots}>
                {items.map((s) => (
                  <li key={s.id}>
                    <button type="button" aria-pressed={s.id === open} onClick={() => setOpen(s.id === open ? undefined : s.id)}>
                      <DateTime at={s.at} />
                      <b className="kp-num">{formatInt(s.size, lang)}</b>
                      <small className="kp-muted">{[s.note, s.every ? t(`snapshot.every.${s.every as 'day'}`) : s.by?.name].filter(Boolean).join(' · ')}</small>
                    </button>
                    {may && <Button size="small" type="text" aria-label={t('snapshot.drop')} icon={<Trash2 size={14} aria-hidden />} onClick={() => void drop(s)} />}
                  </li>
                ))}
              </ul>
            )
          }
        </QueryState>
      </Panel>
      {chosen && <Diff key={chosen.id} id={id} snapshot={chosen} all={query.data?.items ?? []} people={people} />}
    </div>
  )
}

function Diff({ id, snapshot, all, people }: { id: string; snapshot: Snapshot; all: Snapshot[]; people: (p: PeopleSource) => ReactNode }) {
  const { t } = useTranslation('segments')
  const { lang } = usePrefs()
  const [part, setPart] = useState<(typeof PARTS)[number]>('came')
  const [other, setOther] = useState<string>()
  const query = useQuery(diffQuery(id, snapshot.id, other))
  const later = all.filter((s) => s.at > snapshot.at)
  return (
    <Panel
      flush
      title={
        <>
          {t('snapshot.since')} <DateTime at={snapshot.at} />
        </>
      }
      extra={
        <Select
          aria-label={t('snapshot.until')}
          value={other ?? 'now'}
          popupMatchSelectWidth={false}
          onChange={(v: string) => setOther(v === 'now' ? undefined : v)}
          options={[{ value: 'now', label: t('snapshot.now') }, ...later.map((s) => ({ value: s.id, label: <DateTime at={s.at} /> }))]}
        />
      }
    >
      <QueryState query={query} height={80}>
        {(d) => (
          <>
            <div className={css.parts}>
              <Segmented aria-label={t('snapshot.part')} value={part} onChange={setPart} options={PARTS.map((p) => ({ value: p, label: t(`snapshot.${p}`, { count: d[p], n: formatInt(d[p], lang) }) }))} />
              <span className="kp-muted kp-num">{t('snapshot.sizes', { then: formatInt(d.then, lang), now: formatInt(d.now, lang) })}</span>
            </div>
            {people({ label: t('snapshot.title'), source: snapshotPeoplePage(id, snapshot.id, part, other), empty: <Empty title={t('snapshot.nobody')} /> })}
          </>
        )}
      </QueryState>
    </Panel>
  )
}
