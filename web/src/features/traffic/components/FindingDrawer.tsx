import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useCursorList } from '@/shared/api/cursor'
import type { TrafficFinding } from '@/shared/api/types'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan, useTimezone } from '@/shared/lib/session'
import { formatAgo } from '@/shared/lib/time'
import { Drawer } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Button } from '@/shared/ui/kit'
import { QueryState } from '@/shared/ui/states'
import { findingQuery, judge, suspectsPage, type TrafficState } from '../queries'
import css from './traffic.module.css'
import { useFindingWords } from './words'

/** One finding: its figures, and the judgement of a person. */
export function FindingDrawer({ id, onClose }: { id: string; onClose: () => void }) {
  const { t } = useTranslation('traffic')
  const { lang } = usePrefs()
  const words = useFindingWords()
  const query = useQuery(findingQuery(id, lang))
  return (
    <Drawer open onClose={onClose} title={query.data ? words.title(query.data) : t('title')} width={640}>
      <QueryState query={query}>{(f) => <Detail finding={f} />}</QueryState>
    </Drawer>
  )
}

function Detail({ finding }: { finding: TrafficFinding }) {
  const zone = useTimezone()
  const words = useFindingWords()
  return (
    <div className="kp-stack">
      <p className={css.lead}>
        <b>{words.figure(finding)}</b>
        <span className="kp-muted">{words.span(finding, zone)}</span>
      </p>
      {finding.kind === 'rate' ? <Baseline finding={finding} /> : <Openings finding={finding} />}
      <Judgement key={finding.state} finding={finding} />
      {finding.kind !== 'bots' && <People id={finding.id} />}
    </div>
  )
}

/** How programs were told apart, at links and at pages. */
type Why = 'head' | 'prefetch' | 'agent' | 'bare' | 'network' | 'burst' | 'trap' | 'quick' | 'forged' | 'flood'

/** The day beside the same weekdays before it. */
function Baseline({ finding }: { finding: TrafficFinding }) {
  const { t } = useTranslation('traffic')
  const words = useFindingWords()
  const { day, samples, verdict, limit } = finding.evidence
  if (!day || !verdict) return null
  const rows = [day, ...(samples ?? [])]
  const most = Math.max(...rows.map((s) => (s.of > 0 ? s.then / s.of : 0)), verdict.baseline, 0.0001)
  return (
    <section>
      <p className="kp-muted">{t('evidence.rule', { limit: limit ?? 15, baseline: words.share(verdict.baseline), spread: words.share(verdict.spread) })}</p>
      <table className={css.table}>
        <thead>
          <tr>
            <th scope="col">{t('evidence.day')}</th>
            <th scope="col">{t('evidence.of')}</th>
            <th scope="col">{t('evidence.then')}</th>
            <th scope="col">{t('evidence.share')}</th>
            <th aria-hidden />
          </tr>
        </thead>
        <tbody>
          {rows.map((s, i) => (
            <tr key={s.day} className={i === 0 ? css.now : undefined}>
              <th scope="row">{i === 0 ? t('evidence.now', { day: s.day }) : s.day}</th>
              <td>{words.number(s.of)}</td>
              <td>{words.number(s.then)}</td>
              <td>{s.of > 0 ? words.share(s.then / s.of) : t('none')}</td>
              <td className={css.bar} aria-hidden>
                <i style={{ width: `${s.of > 0 ? (s.then / s.of / most) * 100 : 0}%` }} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Openings({ finding }: { finding: TrafficFinding }) {
  const { t } = useTranslation('traffic')
  const words = useFindingWords()
  const e = finding.evidence
  if (finding.kind === 'bots') return <p className="kp-muted">{t('evidence.bots', { why: t(`why.${(e.why ?? 'agent') as Why}`), limit: e.limit ?? 3 })}</p>
  const most = Math.max(...(e.minutes ?? []).map((m) => m.n), 1)
  return (
    <section>
      <p className="kp-muted">{t('evidence.burst', { limit: e.limit ?? 0, network: e.network ?? '' })}</p>
      <table className={css.table}>
        <thead>
          <tr>
            <th scope="col">{t('evidence.minute')}</th>
            <th scope="col">{t('evidence.opens')}</th>
            <th aria-hidden />
          </tr>
        </thead>
        <tbody>
          {(e.minutes ?? []).map((m) => (
            <tr key={m.key}>
              <th scope="row">{m.key}</th>
              <td>{words.number(m.n)}</td>
              <td className={css.bar} aria-hidden>
                <i style={{ width: `${(m.n / most) * 100}%` }} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {e.devices && e.devices.length > 0 && <p className="kp-muted">{t('evidence.devices', { list: e.devices.map((d) => `${d.key} ${words.number(d.n)}`).join('; ') })}</p>}
    </section>
  )
}

function Judgement({ finding }: { finding: TrafficFinding }) {
  const { t } = useTranslation('traffic')
  const { lang } = usePrefs()
  const client = useQueryClient()
  const toast = useToast()
  const words = useFindingWords()
  const mayEdit = useCan('acquire.write')
  const [note, setNote] = useState('')
  const [busy, setBusy] = useState<TrafficState>()
  const say = async (state: TrafficState) => {
    setBusy(state)
    try {
      await judge(finding.id, state, note)
      await client.invalidateQueries() // every figure may be another one
      toast.done(t(`judge.done.${state}`))
    } catch (error) {
      toast.failed(error)
      setBusy(undefined)
    }
  }
  if (finding.state !== 'open')
    return (
      <section className={css.judged}>
        <p>
          <b>{t(`state.${finding.state}`)}</b> · {finding.by} · {finding.judgedAt ? formatAgo(finding.judgedAt, lang) : ''}
        </p>
        {finding.note && <p>{finding.note}</p>}
        {finding.state === 'fake' && <p className="kp-muted">{t('judge.fakes', { fakes: words.number(finding.fakes), people: words.number(finding.people) })}</p>}
        {mayEdit && (
          <Button loading={busy !== undefined} onClick={() => void say('open')}>
            {t('judge.undo')}
          </Button>
        )}
      </section>
    )
  if (!mayEdit) return null
  return (
    <section className={css.judged}>
      <b>{t('judge.title')}</b>
      <p className="kp-muted">{t('judge.desc')}</p>
      <textarea className={css.text} rows={2} maxLength={500} value={note} aria-label={t('judge.note')} placeholder={t('judge.note')} onChange={(e) => setNote(e.target.value)} />
      <div className="kp-row">
        <Button loading={busy === 'real'} disabled={busy !== undefined} onClick={() => void say('real')}>
          {t('judge.real')}
        </Button>
        <Button danger loading={busy === 'fake'} disabled={busy !== undefined} onClick={() => void say('fake')}>
          {t('judge.fake')}
        </Button>
      </div>
    </section>
  )
}

function People({ id }: { id: string }) {
  const { t } = useTranslation('traffic')
  const list = useCursorList(suspectsPage(id))
  if (list.items.length === 0) return null
  return (
    <section>
      <h3 className={css.sub}>{t('people.title')}</h3>
      <ul className={css.people}>
        {list.items.map((p) => (
          <li key={p.id}>
            <Link to={`/contacts/${p.id}`}>{p.name || t('people.visitor')}</Link>
          </li>
        ))}
      </ul>
      {list.hasMore && (
        <Button size="small" loading={list.loadingMore} onClick={list.loadMore}>
          {t('people.more')}
        </Button>
      )}
    </section>
  )
}
