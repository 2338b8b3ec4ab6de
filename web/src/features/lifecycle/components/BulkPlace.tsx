import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Hand, Undo2 } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { PlaceRun } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import type { ContactSelection } from '@/shared/lib/selection'
import { useTimezone } from '@/shared/lib/session'
import { BulkAction, BulkForm, useStep } from '@/shared/ui/BulkAction'
import { ProgressBar } from '@/shared/ui/JobProgress'
import { Alert, Button, Segmented } from '@/shared/ui/kit'
import { isWhole, spanOf, type Choice } from '../choice'
import type { MachineName } from '../machine'
import { cancelRun, placeMany, reachQuery, releaseRun, runQuery } from '../queries'
import { PlaceFields } from './PlaceFields'

type Mode = 'move' | 'release'

interface Started {
  machine: MachineName
  run: PlaceRun
}

/** Moves the chosen contacts to a stage or a pool by hand, or lets rules decide about them again. */
export function BulkPlace({ selection }: { selection: ContactSelection }) {
  const { t } = useTranslation('lifecycle')
  return (
    <BulkAction<Started>
      selection={selection}
      icon={<Hand size={14} aria-hidden />}
      label={t('place.action')}
      title={(count) => t('place.title', { count })}
      choose={(p) => <Choosing {...p} />}
      follow={({ run, onClose }) => <Running {...run} onClose={onClose} />}
    />
  )
}

/** Where to, and how many that concerns. */
function Choosing({ who, onClose, onStart }: { who: ContactSelection; onClose: () => void; onStart: (run: Started) => void }) {
  const { t } = useTranslation(['lifecycle', 'common'])
  const { lang } = usePrefs()
  const zone = useTimezone()
  const step = useStep()
  const [now] = useState(() => Date.now())
  const [machine, setMachine] = useState<MachineName>('pools')
  const [mode, setMode] = useState<Mode>('move')
  const [choice, setChoice] = useState<Partial<Choice>>(() => ({ until: spanOf(now, zone).proposed, note: '' }))
  const letGo = mode === 'release'
  const reach = useQuery(reachQuery(machine, who.body, letGo ? undefined : choice.state, letGo))
  const r = reach.data
  const ready = !!r && (letGo ? r.held > 0 : r.total > 0 && isWhole(choice, now, zone))
  const start = () =>
    step.take(async () => {
      if (!ready) return
      const sent = !letGo && isWhole(choice, now, zone) ? { ...choice, note: choice.note.trim() } : undefined
      onStart({ machine, run: await placeMany(machine, who.body, sent) })
    })
  const wrong = step.failure ?? reach.error
  return (
    <BulkForm
      wrong={wrong}
      onSubmit={() => void start()}
      told={
        <>
          {!r && !wrong && t('place.counting')}
          {r && !letGo && <b>{t('place.will', { count: r.total, total: formatInt(r.total, lang) })}</b>}
          {r && !letGo && r.there > 0 && <span>{t('place.there', { count: r.there, total: formatInt(r.there, lang) })}</span>}
          {r && !letGo && r.held > 0 && <span>{t('place.held', { count: r.held, total: formatInt(r.held, lang) })}</span>}
          {r && letGo && <b>{r.held > 0 ? t('place.willRelease', { count: r.held, total: formatInt(r.held, lang) }) : t('place.noneHeld')}</b>}
          {r && !letGo && r.skipped > 0 && <span>{t('place.skipped', { count: r.skipped, total: formatInt(r.skipped, lang) })}</span>}
        </>
      }
      actions={
        <>
          <Button onClick={onClose}>{t('common:action.cancel')}</Button>
          <Button type="primary" htmlType="submit" loading={step.busy} disabled={!ready}>
            {letGo ? t('place.release') : t('place.do')}
          </Button>
        </>
      }
    >
      <Segmented<MachineName>
        block
        value={machine}
        onChange={(m) => {
          setMachine(m)
          setChoice({ ...choice, state: undefined })
        }}
        options={[
          { value: 'pools', label: t('place.pools') },
          { value: 'lifecycle', label: t('place.lifecycle') },
        ]}
      />
      <Segmented<Mode>
        block
        value={mode}
        onChange={setMode}
        options={[
          { value: 'move', label: t('place.modeMove') },
          { value: 'release', label: t('place.modeRelease') },
        ]}
      />
      {!letGo && <PlaceFields machine={machine} value={choice} onChange={setChoice} now={now} />}
    </BulkForm>
  )
}

/** How the work goes, how it is stopped, and how its people are let go again. */
function Running({ machine, run: started, onClose }: Started & { onClose: () => void }) {
  const { t } = useTranslation('lifecycle')
  const { lang } = usePrefs()
  const client = useQueryClient()
  const step = useStep()
  const [id, setId] = useState(started.id)
  const { data: run = started, error } = useQuery(runQuery(machine, id))
  const going = run.state === 'queued' || run.state === 'running'
  useEffect(() => {
    if (going) return
    void client.invalidateQueries({ queryKey: ['contacts'] })
    void client.invalidateQueries({ queryKey: ['lifecycle'], predicate: (q) => q.queryKey[2] !== 'run' })
  }, [client, going])
  const act = (work: () => Promise<PlaceRun>) =>
    step.take(async () => {
      const next = await work()
      client.setQueryData(runQuery(machine, next.id).queryKey, next)
      setId(next.id)
    })
  const total = formatInt(run.placed, lang)
  return (
    <BulkForm
      wrong={step.failure ?? error}
      told={
        <>
          {going && <ProgressBar label={run.release ? t('place.releasing') : t('place.placing')} done={run.done} total={run.total} lang={lang} />}
          {going && <span className="kp-muted">{t('place.closeable')}</span>}
          {!going && <b>{run.release ? t('place.released', { count: run.placed, total }) : t('place.placed', { count: run.placed, total, moved: formatInt(run.moved, lang) })}</b>}
          {run.state === 'cancelled' && <span>{t('place.stopped')}</span>}
          {run.state === 'failed' && <Alert type="error" showIcon role="alert" title={run.error} />}
        </>
      }
      actions={
        <>
          {going && (
            <Button loading={step.busy} onClick={() => void act(() => cancelRun(machine, id))}>
              {t('place.stop')}
            </Button>
          )}
          {!going && !run.release && run.placed > 0 && (
            <Button icon={<Undo2 size={14} aria-hidden />} loading={step.busy} onClick={() => void act(() => releaseRun(machine, id))}>
              {t('place.undo')}
            </Button>
          )}
          <Button type="primary" onClick={onClose}>
            {t('place.close')}
          </Button>
        </>
      }
    />
  )
}
