import { useQuery } from '@tanstack/react-query'
import { Download } from 'lucide-react'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { SystemStatus } from '@/shared/api/types'
import { codeText } from '@/shared/i18n/code'
import { formatBytes, formatInt, formatSeconds } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { StatusDot, type Tone } from '@/shared/ui/chips'
import { Button } from '@/shared/ui/kit'
import { Kpi } from '@/shared/ui/Kpi'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { QueryState } from '@/shared/ui/states'
import { DateTime, TimeAgo } from '@/shared/ui/values'
import { systemQuery } from '../queries'

const STORE_TONES: Record<SystemStatus['stores'][number]['state'], Tone> = { ok: 'good', slow: 'warn', down: 'bad' }
const CHECK_TONES: Record<SystemStatus['checks'][number]['state'], Tone> = { ok: 'good', warn: 'warn', fail: 'bad' }

/** The state of the program: flow of facts, stores, checks, version. */
export default function SystemPage() {
  const { t } = useTranslation('system')
  const query = useQuery(systemQuery())
  const may = useCan('settings.write')
  return (
    <Page>
      <PageHead
        title={t('title')}
        desc={t('desc')}
        extra={
          may && (
            <Button icon={<Download size={15} aria-hidden />} href="/api/system/backup">
              {t('backup.ok')}
            </Button>
          )
        }
      />
      <QueryState query={query} height={480}>
        {(data) => (
          <div className="kp-stack">
            <Flow status={data} />
            <div className="kp-grid cols-2">
              <Stores status={data} />
              <Checks status={data} />
            </div>
            <Encryption status={data} />
            <Program status={data} />
          </div>
        )}
      </QueryState>
    </Page>
  )
}

function Flow({ status }: { status: SystemStatus }) {
  const { t } = useTranslation('system')
  const { lang } = usePrefs()
  const p = status.pipeline
  return (
    <div className="kp-grid cols-4">
      <Kpi label={t('flow.received')} value={formatInt(p.received, lang)} hint={t('flow.receivedHint')} />
      <Kpi label={t('flow.stored')} value={formatInt(p.stored, lang)} hint={t('flow.perSecond', { rate: formatInt(p.perSecond, lang) })} />
      <Kpi label={t('flow.lag')} value={formatInt(p.lag, lang)} hint={p.lag > 0 ? t('flow.oldest', { time: formatSeconds(p.oldestLagSeconds, lang) }) : t('flow.level')} />
      <Kpi label={t('flow.setAside')} value={formatInt(p.setAside, lang)} to="/set-aside" hint={t('flow.duplicates', { count: p.duplicates })} />
    </div>
  )
}

function Stores({ status }: { status: SystemStatus }) {
  const { t } = useTranslation('system')
  const { lang } = usePrefs()
  return (
    <Panel title={t('stores.title')}>
      <dl className="kp-list">
        {status.stores.map((s) => (
          <div key={s.name} className="kp-row">
            <dt className="kp-grow">
              <b className="kp-strong">{t(`stores.${s.name}`)}</b> <small className="kp-muted">{s.engine}</small>
              {s.detail && <div className="kp-muted">{s.detail}</div>}
            </dt>
            <dd className="kp-num">{formatBytes(s.sizeBytes, lang)}</dd>
            <dd>
              <StatusDot tone={STORE_TONES[s.state]}>{t(`state.${s.state}`)}</StatusDot>
            </dd>
          </div>
        ))}
      </dl>
    </Panel>
  )
}

function Checks({ status }: { status: SystemStatus }) {
  const { t } = useTranslation('system')
  return (
    <Panel title={t('checks.title')} desc={t('checks.desc')}>
      <dl className="kp-list">
        {status.checks.map((c) => (
          <div key={c.id} className="kp-row">
            <dt className="kp-grow">
              <b className="kp-strong">{codeText('system', 'check', c.id)}</b>
              {c.state !== 'ok' && <div className="kp-muted">{codeText('system', 'mend', c.id, c.params)}</div>}
            </dt>
            <dd>
              <StatusDot tone={CHECK_TONES[c.state]}>{t(`state.${c.state}`)}</StatusDot>
            </dd>
          </div>
        ))}
      </dl>
    </Panel>
  )
}

const KEY_TONES: Record<SystemStatus['encryption']['keys'][number]['state'], Tone> = { active: 'good', new: 'warn', old: 'neutral' }

/** Which keys seal personal data, and what is still to be sealed anew. */
function Encryption({ status }: { status: SystemStatus }) {
  const { t } = useTranslation('system')
  const { keys, clear, remaining, resealed, countedAt } = status.encryption
  const inClear = clear.reduce((sum, p) => sum + p.count, 0)
  return (
    <Panel title={t('encryption.title')} desc={t('encryption.desc')}>
      <dl className="kp-list" data-encryption>
        {keys.map((k) => (
          <div key={k.id} className="kp-row">
            <dt className="kp-grow">
              <b className="kp-strong kp-num">{k.id}</b> {k.index && <small className="kp-muted">{t('encryption.index')}</small>}
              <div className="kp-muted">{underKey(k.places.reduce((sum, p) => sum + p.count, 0))}</div>
            </dt>
            <dd>{k.activeAt && <DateTime at={k.activeAt} />}</dd>
            <dd>
              <StatusDot tone={KEY_TONES[k.state]}>{t(`encryption.${k.state}`)}</StatusDot>
            </dd>
          </div>
        ))}
        {inClear > 0 && (
          <div className="kp-row">
            <dt className="kp-grow">{t('encryption.clear', { count: inClear })}</dt>
          </div>
        )}
        <div className="kp-row">
          <dt className="kp-grow">
            {remaining > 0 ? <Link to="/jobs">{t('encryption.remaining', { count: remaining })}</Link> : resealed ? t('encryption.whole') : <Link to="/jobs">{t('encryption.working')}</Link>}
          </dt>
          <dd className="kp-muted">
            {countedAt && (
              <>
                {t('encryption.counted')} <TimeAgo at={countedAt} />
              </>
            )}
          </dd>
        </div>
      </dl>
    </Panel>
  )

  function underKey(count: number) {
    return count > 0 ? t('encryption.under', { count }) : t('encryption.nothing')
  }
}

function Program({ status }: { status: SystemStatus }) {
  const { t } = useTranslation('system')
  const { lang } = usePrefs()
  const rows: [string, ReactNode][] = [
    [t('program.version'), `${status.version} (${status.commit})`],
    [t('program.go'), status.goVersion],
    [t('program.started'), <DateTime key="s" at={status.startedAt} seconds />],
    [t('program.uptime'), formatSeconds(status.uptimeSeconds, lang)],
    [t('program.memory'), formatBytes(status.memoryBytes, lang)],
    [t('program.goroutines'), formatInt(status.goroutines, lang)],
    [
      t('program.jobs'),
      <Link key="j" to="/jobs">
        {t('program.jobsNow', { running: status.jobs.running, queued: status.jobs.queued, failed: status.jobs.failed24h })}
      </Link>,
    ],
    [t('backup.last'), status.backup?.lastAt ? <TimeAgo key="b" at={status.backup.lastAt} /> : <span className="kp-muted">{t('backup.never')}</span>],
  ]
  return (
    <Panel title={t('program.title')}>
      <dl className="kp-list kp-grid cols-2">
        {rows.map(([label, value]) => (
          <div key={label} className="kp-row">
            <dt className="kp-grow kp-muted">{label}</dt>
            <dd className="kp-num">{value}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  )
}
