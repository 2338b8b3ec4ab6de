import { ArrowDownLeft, ArrowUpRight, Sparkle } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { SimEntry } from '@/shared/api/types'
import { Switch } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { about, isAct, isKnown, toneOf } from '../diary'
import css from './sim.module.css'
import { Time } from './Time'

const ICONS = { act: Sparkle, callback: ArrowDownLeft, call: ArrowUpRight } as const

/** What happened, step by step: what the customer did, what the platform told Koipond, what Koipond asked the platform for. */
export function Story({ entries, externals, lost, name }: { entries: SimEntry[]; externals: readonly string[]; lost: boolean; name: string }) {
  const { t } = useTranslation('sim')
  const [all, setAll] = useState(false)
  const shown = about(entries, externals, all).toReversed()
  return (
    <Panel
      flush
      title={t('story.title')}
      desc={t('story.desc', { name })}
      extra={
        <label className={css.switch}>
          <Switch size="small" checked={all} onChange={setAll} aria-label={t('story.all')} /> {t('story.all')}
        </label>
      }
    >
      {lost && (
        <p className={css.lost} role="alert">
          {t('story.lost')}
        </p>
      )}
      {shown.length === 0 ? (
        <p className={css.quiet}>{t('story.none')}</p>
      ) : (
        <ol className={css.story} aria-live="polite">
          {shown.map((e) => (
            <Entry key={e.n} entry={e} />
          ))}
        </ol>
      )}
    </Panel>
  )
}

function Entry({ entry: e }: { entry: SimEntry }) {
  const { t } = useTranslation('sim')
  const Icon = ICONS[e.kind]
  const what = e.kind === 'act' ? (isAct(e.name) ? t(`act.${e.name}`) : e.name) : isKnown(e.name) ? t(`name.${e.name.replace(/\./g, '·')}` as 'name.gettoken') : e.name
  const bad = toneOf(e) === 'bad'
  return (
    <li data-kind={e.kind} data-bad={bad || undefined}>
      <span className={css.dot}>
        <Icon size={13} aria-hidden />
      </span>
      <div>
        <span className={css.what}>
          <b>{what}</b>
          {e.try ? <small>{t('story.try', { count: e.try + 1 })}</small> : null}
          {bad && <em>{e.kind === 'call' && e.code !== 0 ? t('story.code', { code: e.code }) : t(`story.note.${noteOf(e)}`)}</em>}
        </span>
        <small className={css.fine}>
          <Time at={e.at} seconds /> {t(`story.kind.${e.kind}`)}
          {e.ms !== undefined && e.kind !== 'act' && <span className="kp-num"> · {t('story.ms', { ms: e.ms < 10 ? Math.round(e.ms * 10) / 10 : Math.round(e.ms) })}</span>}
          {e.kind !== 'act' && <code>{e.name}</code>}
        </small>
        {e.note && !bad && e.note !== 'already' && <p className={css.words}>{e.note}</p>}
      </div>
    </li>
  )
}

const NOTES = ['refused', 'timeout', 'unreachable', 'never', 'lost'] as const

function noteOf(e: SimEntry): (typeof NOTES)[number] {
  return NOTES.find((n) => n === e.note) ?? 'refused'
}
