import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Square, Undo2 } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import type { AttributeRun } from '@/shared/api/types'
import { ATTRIBUTES_KEY } from '@/shared/lib/attributes'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { useConfirm, useToast } from '@/shared/ui/feedback'
import { JobStateTag, ProgressBar } from '@/shared/ui/JobProgress'
import { Button } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Empty, QueryState } from '@/shared/ui/states'
import { Count, DateTime } from '@/shared/ui/values'
import css from '../pages/AttributesPage.module.css'
import { cancelRun, runsQuery, undoRun } from '../queries'

const going = (r: AttributeRun) => r.state === 'queued' || r.state === 'running' || r.undoing

/** Merges of attributes and changes of options, how far they got, and their undo. */
export function Changes() {
  const { t } = useTranslation('attributes')
  const may = useCan('attribute.write')
  const client = useQueryClient()
  const ask = useConfirm()
  const toast = useToast()
  const query = useQuery(runsQuery())
  const refresh = () => client.invalidateQueries({ queryKey: ATTRIBUTES_KEY })
  const undo = (r: AttributeRun) =>
    ask({ title: t('changes.undoTitle', { title: r.title }), body: r.state === 'cancelled' ? t('changes.undoPart') : t('changes.undoBody'), ok: t('changes.undo'), danger: true, run: () => undoRun(r.id) }).then(refresh)
  const stop = (r: AttributeRun) =>
    cancelRun(r.id)
      .catch((e: unknown) => toast.failed(e))
      .then(refresh)
  return (
    <Panel flush>
      <QueryState query={query}>
        {(items) => items.length === 0 ? <Empty title={t('changes.empty')} desc={t('changes.emptyDesc')} /> : (
          <div className={css.scroll}>
            <table className={css.table}>
              <thead>
                <tr>
                  <th>{t('changes.what')}</th>
                  <th>{t('changes.when')}</th>
                  <th>{t('changes.state')}</th>
                  <th>{t('changes.values')}</th>
                  <th aria-label={t('changes.undo')} />
                </tr>
              </thead>
              <tbody>
                {items.map((r) => (
                  <tr key={r.id}>
                    <td>
                      <b className="kp-strong">{r.title}</b>
                      <br />
                      <small className="kp-muted">
                        {t(`changes.kind.${r.kind}`)} · {r.by.name}
                      </small>
                    </td>
                    <td>
                      <DateTime at={r.createdAt} />
                    </td>
                    <td>
                      <State run={r} />
                    </td>
                    <td className="kp-num">
                      <Count value={r.changed} /> {r.unfit > 0 && <small className="kp-muted">{t('changes.unfit', { count: r.unfit })}</small>}
                    </td>
                    <td style={{ textAlign: 'end' }}>
                      {may && going(r) && (
                        <Button size="small" icon={<Square size={12} aria-hidden />} onClick={() => void stop(r)}>
                          {t('changes.stop')}
                        </Button>
                      )}
                      {may && r.undoUntil && (
                        <Button size="small" icon={<Undo2 size={14} aria-hidden />} onClick={() => void undo(r)}>
                          {t('changes.undo')}
                        </Button>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </QueryState>
    </Panel>
  )
}

function State({ run }: { run: AttributeRun }) {
  const { t } = useTranslation('attributes')
  const { lang } = usePrefs()
  if (going(run)) return <ProgressBar label={run.undoing ? t('changes.undoing') : run.title} done={run.done} total={run.total} lang={lang} />
  if (run.undoneAt)
    return (
      <span>
        {t('changes.undone', { count: run.restored })} {run.kept > 0 && <small className="kp-muted">{t('changes.kept', { count: run.kept })}</small>}
      </span>
    )
  return (
    <span>
      <JobStateTag state={run.state} /> {run.state === 'cancelled' && <small className="kp-muted">{t('changes.halfway', { count: run.changed })}</small>} {run.error && <small className="kp-muted">{run.error}</small>}
    </span>
  )
}
