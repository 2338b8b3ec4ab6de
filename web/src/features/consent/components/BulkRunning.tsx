import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Undo2 } from 'lucide-react'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import type { ConsentBatch } from '@/shared/api/types'
import { usePrefs } from '@/shared/lib/prefs'
import { BulkForm, useStep } from '@/shared/ui/BulkAction'
import { ProgressBar } from '@/shared/ui/JobProgress'
import { Alert, Button } from '@/shared/ui/kit'
import { CONSENT_KEY, undoBatch, workQuery } from '../queries'

/** How a change of many goes, and its undo. Closing the dialog does not stop it. */
export function BulkRunning({ batch, onClose }: { batch: ConsentBatch; onClose: () => void }) {
  const { t } = useTranslation('consent')
  const { lang } = usePrefs()
  const client = useQueryClient()
  const step = useStep()
  const query = useQuery(workQuery(batch.id))
  const w = query.data
  const going = !w || w.jobState === 'queued' || w.jobState === 'running'
  useEffect(() => {
    if (!going) void client.invalidateQueries({ queryKey: CONSENT_KEY, predicate: (q) => q.queryKey[1] !== 'work' })
  }, [client, going])
  const undo = () =>
    step.take(async () => {
      await undoBatch(batch.id)
      await client.invalidateQueries({ queryKey: workQuery(batch.id).queryKey })
    })
  return (
    <BulkForm
      wrong={step.failure ?? query.error}
      told={
        <>
          {going && <ProgressBar label={w?.undoneAt ? t('batch.undoing') : t('bulk.working')} done={w?.done ?? 0} total={w?.total ?? 0} lang={lang} />}
          {!going && !w.undoneAt && <b>{t('bulk.done', { count: w.written })}</b>}
          {!going && w.undoneAt && <b>{t('bulk.undone', { count: w.voided })}</b>}
          {w?.jobState === 'failed' && <Alert type="error" showIcon role="alert" title={t('bulk.failed')} />}
          {going && <span className="kp-muted">{t('bulk.closeable')}</span>}
        </>
      }
      actions={
        <>
          {!going && !w.undoneAt && w.written > 0 && (
            <Button icon={<Undo2 size={14} aria-hidden />} loading={step.busy} onClick={() => void undo()}>
              {t('batch.undo')}
            </Button>
          )}
          <Button type="primary" onClick={onClose}>
            {t('bulk.close')}
          </Button>
        </>
      }
    />
  )
}
