import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Job, MatchSummary } from '@/shared/api/types'
import { formatInt, formatPercent } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { Dialog } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Alert, Button, Select } from '@/shared/ui/kit'
import { useErrorText } from '@/shared/ui/states'
import { shareRight } from '../compare'
import { countFrom, MATCHES_KEY, mergeAll } from '../queries'

const SCORES = [90, 95, 98, 99] as const

/** Merges all pairs from a score on, after saying how many and what is known of such scores. */
export function MergeAll({ open, onClose, onBegin, summary }: { open: boolean; onClose: () => void; onBegin: (job: Job) => void; summary: MatchSummary | undefined }) {
  const { t } = useTranslation('matches')
  const { lang } = usePrefs()
  const toast = useToast()
  const say = useErrorText()
  const [from, setFrom] = useState<number>(99)
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<unknown>()
  const count = useQuery({ queryKey: [...MATCHES_KEY, 'count', from], queryFn: () => countFrom(from), enabled: open, staleTime: 0 })
  const known = summary && shareRight(summary.bands, from)
  const go = async () => {
    if (count.data === undefined) return
    setBusy(true)
    setFailure(undefined)
    try {
      onBegin(await mergeAll(from, count.data))
      toast.done(t('bulk.begun'))
      onClose()
    } catch (error) {
      setFailure(error)
      void count.refetch()
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog open={open} onClose={onClose} title={t('bulk.title')}>
      <div className="kp-stack">
        <p className="kp-muted">{t('bulk.lead')}</p>
        <Select value={from} onChange={setFrom} aria-label={t('bulk.from')} options={SCORES.map((s) => ({ value: s, label: t('score.orMore', { score: s }) }))} />
        <p>
          <b className="kp-num" data-testid="bulk-count">
            {count.data === undefined ? '…' : t('bulk.count', { count: count.data })}
          </b>
          <br />
          <span className="kp-muted">
            {known ? t('bulk.known', { count: known.reviewed, share: formatPercent(known.share, lang, 0), wrong: formatInt(Math.round((1 - known.share) * (count.data ?? 0)), lang) }) : t('bulk.unknown')}
          </span>
        </p>
        {failure !== undefined && <Alert type="error" showIcon role="alert" title={say(failure).detail} />}
        <div className="kp-row">
          <span className="kp-grow" />
          <Button onClick={onClose} disabled={busy}>
            {t('bulk.cancel')}
          </Button>
          <Button type="primary" loading={busy} disabled={!count.data} onClick={() => void go()}>
            {t('bulk.ok', { count: count.data ?? 0 })}
          </Button>
        </div>
      </div>
    </Dialog>
  )
}
