import { useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query'
import { lazy, Suspense, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { ApiError } from '@/shared/api/errors'
import type { Tag, TagAutomation, TagAutomationPreview, TagDefinition, TagScore } from '@/shared/api/types'
import { loadNamespaces } from '@/shared/i18n/i18n'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { useSettled } from '@/shared/lib/settled'
import { useRuleDraft } from '@/shared/rules/draft'
import { faultsOf } from '@/shared/rules/faults'
import { LazyRuleEditor } from '@/shared/rules/LazyRuleEditor'
import { Drawer } from '@/shared/ui/Drawer'
import { useConfirm, useToast } from '@/shared/ui/feedback'
import { Alert, Button, Checkbox, Progress, Segmented } from '@/shared/ui/kit'
import { Loading, QueryState, useErrorText } from '@/shared/ui/states'
import { complete, formatPoints, newScore } from '../fade'
import { automationQuery, deleteAutomation, previewQuery, putAutomation } from '../queries'
import css from './Automation.module.css'
import { Exceptions } from './Exceptions'

const ScoreForm = lazy(async () => {
  const [module] = await Promise.all([import('./ScoreForm'), loadNamespaces('rules')])
  return { default: module.ScoreForm }
})

interface Props {
  tag: Tag
  onClose: () => void
}

/** How a tag is given by itself: by rule or by score, what that would do, and how far it is. */
export function AutomationDrawer({ tag, onClose }: Props) {
  const { t } = useTranslation('tags')
  const query = useQuery(automationQuery(tag.id))
  return (
    <Drawer open onClose={onClose} title={t('auto.of', { name: tag.name })} width={900}>
      <QueryState query={query}>{(d) => <Editor key={d.automation?.version ?? 0} tag={tag} now={d.automation} onClose={onClose} />}</QueryState>
    </Drawer>
  )
}

function Editor({ tag, now, onClose }: Props & { now: TagAutomation | undefined }) {
  const { t } = useTranslation('tags')
  const client = useQueryClient()
  const toast = useToast()
  const confirm = useConfirm()
  const mayRule = useCan('segment.read')
  const [kind, setKind] = useState<'rule' | 'score'>(now?.kind ?? (mayRule ? 'rule' : 'score'))
  const [keep, setKeep] = useState(now?.keep ?? false)
  const [score, setScore] = useState<TagScore>(now?.score ?? newScore)
  const draft = useRuleDraft(now?.rule)
  const ready = kind === 'rule' ? draft.rule !== undefined : complete(score)
  const wanted: TagDefinition | undefined = !ready ? undefined : kind === 'rule' ? { kind, rule: draft.rule, keep: keep || undefined } : { kind, score }
  const text = JSON.stringify(wanted ?? null)
  const asked = useSettled(text)
  const preview = useQuery({ ...previewQuery(tag.id, (JSON.parse(asked) as TagDefinition | null) ?? undefined), placeholderData: (old) => old })
  const faults = useMemo(() => faultsOf(preview.error, draft.at), [preview.error, draft.at])
  const [busy, setBusy] = useState(false)
  const work = async (what: () => Promise<unknown>) => {
    setBusy(true)
    try {
      await what()
    } catch (error) {
      toast.failed(error)
    }
    setBusy(false)
    await client.invalidateQueries({ queryKey: ['tags'] })
  }
  const end = (takeTags: boolean) =>
    confirm({
      title: t('auto.endTitle', { name: tag.name }),
      body: takeTags ? t('auto.endTake') : t('auto.endKeep'),
      ok: t('auto.end'),
      danger: takeTags,
      run: async () => {
        await deleteAutomation(tag.id, takeTags)
        await client.invalidateQueries({ queryKey: ['tags'] })
        onClose()
      },
    })
  return (
    <div className={css.stack}>
      {now && <Standing now={now} />}
      <Segmented
        value={kind}
        onChange={(k) => setKind(k as typeof kind)}
        options={[
          { value: 'rule', label: t('auto.byRule'), disabled: !mayRule },
          { value: 'score', label: t('auto.byScore') },
        ]}
      />
      {kind === 'rule' ? (
        <>
          <p className="kp-muted" style={{ margin: 0 }}>
            {t('auto.ruleLead')}
          </p>
          <LazyRuleEditor draft={draft} faults={faults} />
          <Checkbox checked={keep} onChange={(e) => setKeep(e.target.checked)}>
            {t('auto.keep')}
          </Checkbox>
        </>
      ) : (
        <Suspense fallback={<Loading height={200} />}>
          <ScoreForm value={score} onChange={setScore} />
        </Suspense>
      )}
      <Told ready={ready} query={preview} stale={asked !== text} />
      <div className={css.foot}>
        <span>
          {now && (
            <>
              <Button onClick={() => void end(false)}>{t('auto.endKeepTags')}</Button> <Button onClick={() => void end(true)} danger>{t('auto.endTakeTags')}</Button>
            </>
          )}
        </span>
        <Button type="primary" loading={busy} disabled={!wanted || preview.isError} onClick={() => wanted && void work(() => putAutomation(tag.id, wanted))}>
          {now ? t('auto.change') : t('auto.begin')}
        </Button>
      </div>
      {now && (
        <section>
          <h3>{t('auto.exceptions')}</h3>
          <Exceptions tag={tag.id} />
        </section>
      )}
    </div>
  )
}

/** How far an automatic tag is, and how many have it. */
function Standing({ now }: { now: TagAutomation }) {
  const { t } = useTranslation('tags')
  const { lang } = usePrefs()
  const s = now.status
  const busy = s.state === 'preparing' || s.state === 'working'
  return (
    <div className={css.told}>
      <b>{t(`auto.state.${s.state}`)}</b>
      {s.fault && <Alert type="warning" showIcon title={s.fault} />}
      {busy && <Progress percent={Math.floor(s.progress * 100)} size="small" aria-label={t(`auto.state.${s.state}`)} />}
      <dl className={css.numbers}>
        {(
          [
            [t('auto.nowHave'), s.have],
            [t('auto.byHand'), s.byHand],
            [t('auto.takenOff'), s.exceptions],
            [t('auto.outranked'), s.losses],
          ] as const
        ).map(([label, n]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd className="kp-num">{formatInt(n, lang)}</dd>
          </div>
        ))}
      </dl>
      <small className="kp-muted">{t('auto.version', { version: now.version, name: now.by.name })}</small>
    </div>
  )
}

/** What the definition that is being written would do. */
function Told({ ready, query, stale }: { ready: boolean; query: UseQueryResult<TagAutomationPreview>; stale: boolean }) {
  const { t } = useTranslation('tags')
  const { lang } = usePrefs()
  const say = useErrorText()
  const stretch = (from: number, to: number | undefined) => (to === undefined ? t('auto.atLeast', { from: formatPoints(from, lang) }) : t('auto.between', { from: formatPoints(from, lang), to: formatPoints(to, lang) }))
  if (!ready) return <div className={css.told}>{t('auto.fillIn')}</div>
  if (query.isError) return <Alert type="error" showIcon title={query.error instanceof ApiError && query.error.fields[0] ? query.error.fields[0].detail : say(query.error).detail} />
  const p = query.data
  return (
    <div className={css.told} role="status" aria-busy={stale || query.isFetching} style={{ opacity: stale || query.isFetching ? 0.6 : 1 }}>
      {!p ? (
        t('auto.counting')
      ) : (
        <>
          <dl className={css.numbers}>
            {(
              [
                [t('auto.matching'), p.matching],
                [t('auto.gain'), p.gain],
                [t('auto.loses'), p.lose],
                [t('auto.keptByHand'), p.byHand],
                [t('auto.excepted'), p.excepted],
              ] as const
            ).map(([label, n]) => (
              <div key={label}>
                <dt>{label}</dt>
                <dd className="kp-num">{formatInt(n, lang)}</dd>
              </div>
            ))}
          </dl>
          {p.sample.length > 0 && (
            <span>
              {t('auto.sample')}{' '}
              {p.sample.map((c, i) => (
                <span key={c.id}>
                  {i > 0 && ' · '}
                  <Link to={`/contacts/${c.id}`}>{c.name || c.id}</Link>
                </span>
              ))}
            </span>
          )}
          {p.scores && (
            <dl className={css.numbers}>
              {p.scores.map((b, i) => (
                <div key={b.from}>
                  <dt>{stretch(b.from, p.scores?.[i + 1]?.from)}</dt>
                  <dd className="kp-num">{formatInt(b.people, lang)}</dd>
                </div>
              ))}
            </dl>
          )}
        </>
      )}
    </div>
  )
}
