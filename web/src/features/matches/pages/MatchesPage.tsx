import { useQuery } from '@tanstack/react-query'
import { GitMerge, Settings2, Users } from 'lucide-react'
import { useCallback, useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useCursorList, type CursorList } from '@/shared/api/cursor'
import type { Match } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { useUrlChoice, useUrlPatch, useUrlText } from '@/shared/lib/url'
import { FilterBar, FilterPills, FilterSelect } from '@/shared/ui/FilterBar'
import { Button } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty, ErrorState, Loading, NoMatches } from '@/shared/ui/states'
import { MatchSettings } from '../components/MatchSettings'
import { MergeAll } from '../components/MergeAll'
import { PairCard } from '../components/PairCard'
import { RunNow, useWork, WorkBar } from '../components/RunNow'
import { useDecide, WAITS, type Act } from '../components/useDecide'
import { matchesPage, summaryQuery } from '../queries'
import css from './MatchesPage.module.css'

const STATES: readonly Match['state'][] = ['open', 'postponed', 'rejected', 'merged']
const SCORES = ['90', '95', '99'] as const

/** Pairs that may be one person, to be merged, rejected or put off. */
export default function MatchesPage() {
  const { t } = useTranslation('matches')
  const { lang } = usePrefs()
  const may = useCan('contact.write')
  const [state, setState] = useUrlChoice('state', STATES, 'open')
  const [score, setScore] = useUrlChoice('score', SCORES)
  const [contact] = useUrlText('contact')
  const patch = useUrlPatch()
  const [sheet, setSheet] = useState<'settings' | 'merge'>()
  const work = useWork()
  const summary = useQuery(summaryQuery())
  const list = useCursorList(matchesPage({ state, minScore: score ? Number(score) : undefined, contact: contact || undefined }))
  const filtered = score !== undefined || contact !== ''
  const clear = () => patch({ score: '', contact: '' })
  const counts = summary.data
  return (
    <Page>
      <PageHead
        title={t('title')}
        desc={t('desc')}
        extra={
          <span className="kp-row wrap">
            <Button icon={<Settings2 size={15} aria-hidden />} onClick={() => setSheet('settings')}>
              {t('settings.open')}
            </Button>
            {may && state === 'open' && list.items.length > 0 && (
              <Button icon={<GitMerge size={15} aria-hidden />} disabled={work.job !== undefined} onClick={() => setSheet('merge')}>
                {t('bulk.open')}
              </Button>
            )}
            {may && <RunNow work={work} primary />}
          </span>
        }
      />
      <WorkBar work={work} />
      <Panel flush>
        <FilterBar active={filtered} onClear={clear} extra={may && state === 'open' && <span className={`kp-muted ${css.keys}`}>{t('keys')}</span>}>
          <FilterPills
            label={t('filter.state')}
            value={state}
            onChange={(v) => setState(v ?? 'open')}
            options={STATES.map((s) => ({ value: s, label: counts ? t('filter.withCount', { state: t(`state.${s}`), total: formatInt(counts[s], lang) }) : t(`state.${s}`) }))}
          />
          <FilterSelect label={t('filter.score')} value={score} onChange={setScore} options={SCORES.map((s) => ({ value: s, label: t('score.orMore', { score: s }) }))} />
          {contact !== '' && <span className="kp-muted">{t('filter.contact')}</span>}
        </FilterBar>
        <Pairs key={`${state} ${score} ${contact}`} list={list} state={state} filtered={filtered} onClear={clear} bands={counts?.bands ?? []} ran={counts?.last !== undefined} work={work} />
      </Panel>
      <MatchSettings open={sheet === 'settings'} onClose={() => setSheet(undefined)} summary={counts} />
      <MergeAll open={sheet === 'merge'} onClose={() => setSheet(undefined)} onBegin={work.begin} summary={counts} />
    </Page>
  )
}

interface PairsProps {
  list: CursorList<Match>
  state: Match['state']
  filtered: boolean
  onClear: () => void
  bands: Parameters<typeof PairCard>[0]['bands']
  ran: boolean
  work: ReturnType<typeof useWork>
}

/** The pairs one below the other; one of them is the current one, on which the keys act. */
function Pairs({ list, state, filtered, onClear, bands, ran, work }: PairsProps) {
  const { t } = useTranslation('matches')
  const may = useCan('contact.write')
  const { busy, decide } = useDecide()
  const [chosen, setChosen] = useState(0)
  const { items } = list
  const at = Math.min(chosen, Math.max(0, items.length - 1))
  const act = useCallback((pair: Match, what: Act) => void decide(pair, what), [decide])
  useKeys((key) => {
    const pair = items[at]
    if (key === 'j') {
      if (at >= items.length - 2) list.loadMore()
      setChosen(Math.min(at + 1, items.length - 1))
    } else if (key === 'k') setChosen(Math.max(at - 1, 0))
    else if (!pair || !may || busy !== undefined || (pair.state !== 'open' && pair.state !== 'postponed')) return
    else if (key === 'm') act(pair, { do: 'merge' })
    else if (key === 'r') act(pair, { do: 'reject' })
    else if (key === 'l' && pair.state === 'open') act(pair, { do: 'postpone', days: WAITS[0] })
  })
  if (list.error) return <ErrorState error={list.error} onRetry={list.refetch} />
  if (list.loading) return <Loading height={420} />
  if (items.length === 0) {
    if (filtered) return <NoMatches onClear={onClear} />
    const icon = <Users size={26} strokeWidth={1.5} aria-hidden />
    if (state !== 'open') return <Empty icon={icon} title={t(`empty.${state}`)} desc={t(`empty.${state}Desc`)} />
    return <Empty icon={icon} title={ran ? t('empty.open') : t('empty.never')} desc={ran ? t('empty.openDesc') : t('empty.neverDesc')} action={may && <RunNow work={work} />} />
  }
  return (
    <div className={css.pairs}>
      {items.map((p, i) => (
        <PairCard key={p.id} pair={p} bands={bands} current={i === at} busy={busy === p.id} may={may} onFocus={() => setChosen(i)} onAct={act} />
      ))}
      {list.hasMore && (
        <Button loading={list.loadingMore} onClick={list.loadMore}>
          {t('more')}
        </Button>
      )}
    </div>
  )
}

/** Calls back for single letters, unless somebody types or a dialog is open. */
function useKeys(press: (key: string) => void) {
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      if (e.ctrlKey || e.metaKey || e.altKey || e.repeat) return
      const on = e.target instanceof HTMLElement ? e.target : undefined
      if (on?.closest('input, textarea, select, [contenteditable], [role=dialog], [role=menu]')) return
      if (document.querySelector('[role=dialog]:not([aria-hidden=true])')) return
      press(e.key.toLowerCase())
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  })
}
