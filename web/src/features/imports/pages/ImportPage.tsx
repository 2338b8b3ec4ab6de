import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Download, Square, Undo2 } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { useParams } from 'react-router'
import type { Import } from '@/shared/api/types'
import { formatInt, formatSeconds } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { useConfirm } from '@/shared/ui/feedback'
import { Alert, Button } from '@/shared/ui/kit'
import { Kpi } from '@/shared/ui/Kpi'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { QueryState } from '@/shared/ui/states'
import { Count, DateTime } from '@/shared/ui/values'
import { ImportState } from '../components/ImportState'
import { busy, cancelImport, importQuery, undoImport } from '../queries'

/** One import: how far it is, what came in, what did not and why, and the way back. */
export default function ImportPage() {
  const { t } = useTranslation('imports')
  const { id = '' } = useParams()
  const query = useQuery(importQuery(id))
  const i = query.data
  return (
    <Page>
      <PageHead title={i?.name ?? t('title')} desc={i && <ImportState of={i} />} back={{ to: '/imports', label: t('title') }} extra={i && <Actions of={i} />} />
      <QueryState query={query} height={420}>
        {(data) => (
          <div className="kp-stack">
            {data.error && <Alert type="error" showIcon role="alert" title={data.error.detail} />}
            <Figures of={data} />
            <div className="kp-grid main-side">
              <Reasons of={data} />
              <About of={data} />
            </div>
          </div>
        )}
      </QueryState>
    </Page>
  )
}

function Actions({ of: i }: { of: Import }) {
  const { t } = useTranslation('imports')
  const { lang } = usePrefs()
  const may = useCan('import.write')
  const client = useQueryClient()
  const confirm = useConfirm()
  const refresh = () => client.invalidateQueries({ queryKey: ['imports'] })
  const stop = () => confirm({ title: t('stop.title'), body: t('stop.body'), ok: t('stop.ok'), danger: true, run: () => cancelImport(i.id) }).then((done) => (done ? refresh() : undefined))
  const undo = () =>
    confirm({
      title: t('undo.title'),
      body: t('undo.body', { rows: formatInt(i.accepted, lang), created: formatInt(i.contactsCreated, lang), orders: formatInt(i.orders, lang), facts: formatInt(i.facts, lang) }),
      ok: t('undo.ok'),
      danger: true,
      run: () => undoImport(i.id),
    }).then((done) => (done ? client.invalidateQueries() : undefined))
  return (
    <span className="kp-row">
      {i.rejected > 0 && !busy(i) && (
        <Button icon={<Download size={15} aria-hidden />} href={`/api/imports/${i.id}/rejects`}>
          {t('rejects')}
        </Button>
      )}
      {may && (i.state === 'running' || i.state === 'queued') && (
        <Button icon={<Square size={14} aria-hidden />} onClick={() => void stop()}>
          {t('stop.ok')}
        </Button>
      )}
      {may && (i.state === 'succeeded' || i.state === 'failed' || i.state === 'cancelled') && (
        <Button danger icon={<Undo2 size={15} aria-hidden />} onClick={() => void undo()}>
          {t('undo.ok')}
        </Button>
      )}
    </span>
  )
}

function Figures({ of: i }: { of: Import }) {
  const { t } = useTranslation('imports')
  const { lang } = usePrefs()
  const n = (v: number) => formatInt(v, lang)
  return (
    <div className="kp-grid cols-4">
      <Kpi label={t('figure.rows')} value={n(i.rows)} hint={i.rowsPerSecond ? t('figure.speed', { rate: n(i.rowsPerSecond) }) : undefined} />
      <Kpi label={t('column.accepted')} value={n(i.accepted)} />
      <Kpi label={t('column.rejected')} value={n(i.rejected)} />
      {i.kind === 'contacts' ? (
        <Kpi label={t('figure.contacts')} value={n(i.contactsCreated)} hint={t('figure.updated', { count: i.contactsUpdated })} />
      ) : i.kind === 'orders' ? (
        <Kpi label={t('figure.orders')} value={n(i.orders)} />
      ) : (
        <Kpi label={t('figure.facts')} value={n(i.facts)} />
      )}
    </div>
  )
}

function Reasons({ of: i }: { of: Import }) {
  const { t } = useTranslation('imports')
  return (
    <Panel title={t('reasons.title')} desc={i.rejected > 0 ? t('reasons.desc') : undefined}>
      {i.reasons.length === 0 ? (
        <p className="kp-muted">{busy(i) ? t('reasons.soFar') : t('reasons.none')}</p>
      ) : (
        <dl className="kp-list">
          {i.reasons.map((r) => (
            <div key={r.code} className="kp-row">
              <dt className="kp-grow">{r.detail}</dt>
              <dd>
                <Count value={r.count} />
              </dd>
            </div>
          ))}
        </dl>
      )}
    </Panel>
  )
}

function About({ of: i }: { of: Import }) {
  const { t } = useTranslation('imports')
  const { lang } = usePrefs()
  return (
    <Panel title={t('about.title')}>
      <dl className="kp-list">
        <div className="kp-row">
          <dt className="kp-grow kp-muted">{t('about.file')}</dt>
          <dd>{i.file}</dd>
        </div>
        <div className="kp-row">
          <dt className="kp-grow kp-muted">{t('column.kind')}</dt>
          <dd>{t(`kind.${i.kind}`)}</dd>
        </div>
        <div className="kp-row">
          <dt className="kp-grow kp-muted">{t('column.by')}</dt>
          <dd>{i.createdBy.name}</dd>
        </div>
        <div className="kp-row">
          <dt className="kp-grow kp-muted">{t('column.at')}</dt>
          <dd>
            <DateTime at={i.createdAt} seconds />
          </dd>
        </div>
        {i.consents + i.consentsKept > 0 && (
          <div className="kp-row">
            <dt className="kp-grow kp-muted">{t('about.consents')}</dt>
            <dd>
              <Count value={i.consents} />
              {i.consentsKept > 0 && <div className="kp-muted">{t('about.consentsKept', { count: i.consentsKept })}</div>}
            </dd>
          </div>
        )}
        {i.finishedAt && (
          <div className="kp-row">
            <dt className="kp-grow kp-muted">{t('about.took')}</dt>
            <dd className="kp-num">{formatSeconds((Date.parse(i.finishedAt) - Date.parse(i.createdAt)) / 1000, lang)}</dd>
          </div>
        )}
        {i.undoneAt && (
          <div className="kp-row">
            <dt className="kp-grow kp-muted">{t('state.undone')}</dt>
            <dd>
              <DateTime at={i.undoneAt} seconds />
            </dd>
          </div>
        )}
      </dl>
    </Panel>
  )
}
