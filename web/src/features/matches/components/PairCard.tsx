import { Clock, GitMerge, RotateCcw, X } from 'lucide-react'
import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import type { Match, MatchSummary } from '@/shared/api/types'
import { formatPercent } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { Button, Dropdown, Tooltip } from '@/shared/ui/kit'
import { DateTime } from '@/shared/ui/values'
import { shareRight } from '../compare'
import css from './PairCard.module.css'
import { Sides } from './Sides'
import { WAITS, type Act } from './useDecide'

interface Props {
  pair: Match
  bands: MatchSummary['bands']
  current: boolean
  busy: boolean
  may: boolean
  onFocus: () => void
  onAct: (pair: Match, act: Act) => void
}

/** One pair: how likely it is one person, why, and what can be done. */
export function PairCard({ pair, bands, current, busy, may, onFocus, onAct }: Props) {
  const { t } = useTranslation('matches')
  const box = useRef<HTMLElement>(null)
  useEffect(() => {
    if (current) box.current?.scrollIntoView?.({ block: 'nearest', behavior: 'smooth' })
  }, [current])
  const one = pair.a.id === pair.b.id
  return (
    <article ref={box} className={css.card} data-current={current} aria-busy={busy} aria-label={t('card.label', { a: pair.a.name || t('unnamed'), b: pair.b.name || t('unnamed'), score: pair.score })} onFocusCapture={onFocus} onMouseDownCapture={onFocus}>
      <ScoreMark pair={pair} bands={bands} />
      <div className={css.body}>
        <Sides pair={pair} />
        <footer className={css.foot}>
          <State pair={pair} one={one} />
          <span className="kp-grow" />
          {may && <Actions pair={pair} busy={busy} onAct={onAct} />}
        </footer>
      </div>
    </article>
  )
}

function ScoreMark({ pair, bands }: { pair: Match; bands: MatchSummary['bands'] }) {
  const { t } = useTranslation('matches')
  const { lang } = usePrefs()
  const band = bands.find((b) => pair.score >= b.from && pair.score < b.to)
  const known = band && shareRight(bands, band.from, band.to)
  return (
    <div className={css.score}>
      <b className="kp-num">{pair.score}</b>
      <small>{t('score.unit')}</small>
      {known ? (
        <Tooltip title={t('score.pastHint', { from: band.from, to: band.to, count: known.reviewed })}>
          <small className={css.past} tabIndex={0}>
            {t('score.past', { share: formatPercent(known.share, lang, 0) })}
          </small>
        </Tooltip>
      ) : (
        <Tooltip title={t('score.hint')}>
          <small className={css.past} tabIndex={0}>
            {t('score.estimate')}
          </small>
        </Tooltip>
      )}
    </div>
  )
}

function State({ pair, one }: { pair: Match; one: boolean }) {
  const { t } = useTranslation('matches')
  if (pair.state === 'postponed')
    return (
      <span className="kp-muted">
        {t('card.until')} <DateTime at={pair.until} dateOnly />
      </span>
    )
  if (pair.state === 'open')
    return (
      <span className="kp-muted">
        {t('card.found')} <DateTime at={pair.foundAt} dateOnly />
      </span>
    )
  return (
    <span className="kp-muted">
      {pair.state === 'merged' ? t('card.merged', { who: pair.decidedBy?.name ?? '' }) : t('card.rejected', { who: pair.decidedBy?.name ?? '' })} <DateTime at={pair.decidedAt} />
      {one && ` · ${t('card.one')}`}
    </span>
  )
}

function Actions({ pair, busy, onAct }: { pair: Match; busy: boolean; onAct: (pair: Match, act: Act) => void }) {
  const { t } = useTranslation('matches')
  const icon = { size: 15, 'aria-hidden': true } as const
  if (pair.state !== 'open' && pair.state !== 'postponed') return null
  return (
    <span className="kp-row wrap">
      {pair.state === 'postponed' ? (
        <Button disabled={busy} icon={<RotateCcw {...icon} />} onClick={() => onAct(pair, { do: 'resume' })}>
          {t('act.resume')}
        </Button>
      ) : (
        <Dropdown
          trigger={['click']}
          disabled={busy}
          menu={{ items: WAITS.map((days) => ({ key: String(days), label: t('act.laterDays', { count: days }) })), onClick: ({ key }) => onAct(pair, { do: 'postpone', days: Number(key) }) }}
        >
          <Button icon={<Clock {...icon} />}>
            {t('act.later')} <kbd>L</kbd>
          </Button>
        </Dropdown>
      )}
      <Button disabled={busy} icon={<X {...icon} />} onClick={() => onAct(pair, { do: 'reject' })}>
        {t('act.reject')} <kbd>R</kbd>
      </Button>
      <Button type="primary" disabled={busy} icon={<GitMerge {...icon} />} onClick={() => onAct(pair, { do: 'merge' })}>
        {t('act.merge')} <kbd>M</kbd>
      </Button>
    </span>
  )
}
