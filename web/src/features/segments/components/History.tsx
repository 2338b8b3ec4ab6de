import { useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { useCursorList } from '@/shared/api/cursor'
import type { SegmentEvent } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { useConfirm } from '@/shared/ui/feedback'
import { Button } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { DateTime, None } from '@/shared/ui/values'
import { historyPage, SEGMENTS_KEY, undoChange } from '../queries'
import css from './segments.module.css'

/** Everything that was done to a segment, newest first. Changes of a list can be taken back. */
export function History({ id }: { id: string }) {
  const { t } = useTranslation('segments')
  const { lang } = usePrefs()
  const confirm = useConfirm()
  const client = useQueryClient()
  const may = useCan('segment.write')
  const list = useCursorList<SegmentEvent>(historyPage(id, lang))
  const undo = (e: SegmentEvent) =>
    confirm({ title: t('history.undoTitle'), body: t('history.undoBody'), ok: t('history.undo'), run: () => undoChange(id, e.id) }).then((done) => (done ? client.invalidateQueries({ queryKey: SEGMENTS_KEY }) : undefined))
  const columns: Column<SegmentEvent>[] = [
    { key: 'at', title: t('history.at'), width: 150, render: (e) => <DateTime at={e.at} /> },
    {
      key: 'what',
      title: t('history.what'),
      render: (e) => (
        <span className={css.change}>
          <b>{t(`history.action.${e.action}`)}</b>
          {e.version ? <small className="kp-muted">{t('history.version', { version: e.version })}</small> : null}
          {e.undoneAt && <small className="kp-muted">{t('history.undone', { who: e.undoneBy ?? '' })}</small>}
          {e.sentence && <span className={css.wrap}>{e.sentence}</span>}
          {e.detail?.name && <span className="kp-muted">{e.detail.was ? `${e.detail.was} → ${e.detail.name}` : e.detail.name}</span>}
          {e.detail?.unknown ? <small className="kp-muted">{t('history.unknown', { count: e.detail.unknown })}</small> : null}
        </span>
      ),
    },
    { key: 'came', title: t('history.came'), align: 'right', render: (e) => (e.came === undefined ? <None /> : `+${formatInt(e.came, lang)}`) },
    { key: 'went', title: t('history.went'), align: 'right', render: (e) => (e.went === undefined ? <None /> : `−${formatInt(e.went, lang)}`) },
    { key: 'size', title: t('history.size'), align: 'right', render: (e) => (e.size === undefined ? <None /> : formatInt(e.size, lang)) },
    { key: 'by', title: t('history.by'), render: (e) => e.by?.name ?? <span className="kp-muted">{t('history.system')}</span> },
    {
      key: 'undo',
      title: '',
      render: (e) =>
        may && e.canUndo ? (
          <Button size="small" onClick={() => void undo(e)}>
            {t('history.undo')}
          </Button>
        ) : null,
    },
  ]
  return (
    <Panel flush>
      <DataTable label={t('tab.history')} list={list} columns={columns} rowKey={(e) => e.id} empty={<Empty title={t('history.empty')} />} />
    </Panel>
  )
}
