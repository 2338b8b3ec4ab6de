import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Download, ImageDown, Trash2 } from 'lucide-react'
import { lazy, Suspense, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useNavigate } from 'react-router'
import { idempotencyKey } from '@/shared/api/client'
import { ApiError } from '@/shared/api/errors'
import type { LiveCodeBatchLine, LiveCodeInput, LiveCodeOptions } from '@/shared/api/types'
import { useChannelOptions } from '@/shared/lib/channels'
import { usePrefs } from '@/shared/lib/prefs'
import { tagsQuery } from '@/shared/rules/queries'
import { ConnectAccount } from '@/shared/ui/ConnectAccount'
import { JobProgress } from '@/shared/ui/JobProgress'
import { Alert, Button, Input, Select } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty, QueryState, useErrorText } from '@/shared/ui/states'
import css from '../components/livecodes.module.css'
import { StaffSelect } from '../components/StaffPool'
import { useFaults } from '../components/useFaults'
import { WeekTimes } from '@/shared/week/WeekTimes'
import { WelcomeEditor } from '../components/WelcomeEditor'
import { CODES_KEY, codesPage, createBatch, foldersQuery, jobQuery, optionsQuery, readLines, qrURL } from '../queries'

const Poster = lazy(() => import('@/shared/poster/Poster'))

/** Many codes at once, one for each shop or colleague, all alike. */
export default function BatchPage() {
  const options = useQuery(optionsQuery())
  return <QueryState query={options}>{(o) => <Batch options={o} />}</QueryState>
}

function Batch({ options }: { options: LiveCodeOptions }) {
  const { t } = useTranslation(['livecodes', 'common'])
  const say = useErrorText()
  const client = useQueryClient()
  const [key, setKey] = useState(idempotencyKey)
  const [like, setLike] = useState<LiveCodeInput>({ name: '', account: options.accounts[0]?.id ?? '', members: [], verify: 'skip', greet: 'own', welcome: { text: t('welcome.first') } })
  const [lines, setLines] = useState<LiveCodeBatchLine[]>([])
  const [job, setJob] = useState('')
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<unknown>()
  const faultOf = useFaults(failure)
  const put = (patch: Partial<LiveCodeInput>) => setLike((old) => ({ ...old, ...patch }))
  const account = options.accounts.find((a) => a.id === like.account)
  const head = <PageHead title={t('batch.title')} desc={t('batch.desc')} back={{ to: '/live-codes', label: t('title') }} />
  if (!account)
    return (
      <Page>
        {head}
        <Empty title={t('list.noAccount')} desc={t('list.noAccountDesc')} action={<ConnectAccount />} />
      </Page>
    )
  if (job)
    return (
      <Page>
        {head}
        <Panel>
          <Made job={job} names={lines.map((l) => l.name)} />
        </Panel>
      </Page>
    )
  const start = async () => {
    setBusy(true)
    setFailure(undefined)
    try {
      const made = await createBatch({ ...like, name: lines[0]?.name ?? '', members: like.members.length > 0 ? like.members : [{ staff: lines[0]?.staff?.[0] ?? '' }] }, lines.map((l) => ({ name: l.name, staff: l.staff ?? [], channel: l.channel })), key)
      void client.invalidateQueries({ queryKey: CODES_KEY })
      setJob(made.job)
    } catch (error) {
      setFailure(error)
      setKey(idempotencyKey())
    } finally {
      setBusy(false)
    }
  }
  const bad = lines.filter((l) => l.fault || (l.staff ?? []).length === 0 || l.name.trim() === '').length
  return (
    <Page>
      {head}
      {failure !== undefined && <Alert type="error" showIcon role="alert" style={{ marginBottom: 12 }} title={failure instanceof ApiError && failure.fields.length > 0 ? failure.fields.map((f) => f.detail).join(' ') : say(failure).detail} />}
      <div className="kp-stack">
        <Panel title={t('batch.lines')} desc={t('batch.linesDesc')}>
          <Lines options={options} account={like.account} setAccount={(a) => { put({ account: a }); setLines([]) }} lines={lines} onChange={setLines} faultOf={faultOf} />
        </Panel>
        {lines.length > 0 && (
          <>
            <Panel title={t('batch.alike')} desc={t('batch.alikeDesc')}>
              <Alike like={like} put={put} faultOf={faultOf} />
            </Panel>
            <div className="kp-row">
              <Button type="primary" loading={busy} disabled={bad > 0} onClick={() => void start()}>
                {t('batch.make', { count: lines.length })}
              </Button>
              {bad > 0 && <span className={css.fault}>{t('batch.bad', { count: bad })}</span>}
            </div>
          </>
        )}
      </div>
    </Page>
  )
}

interface LinesProps {
  options: LiveCodeOptions
  account: string
  setAccount: (id: string) => void
  lines: LiveCodeBatchLine[]
  onChange: (next: LiveCodeBatchLine[]) => void
  faultOf: (path: string) => string | undefined
}

function Lines({ options, account, setAccount, lines, onChange, faultOf }: LinesProps) {
  const { t } = useTranslation('livecodes')
  const say = useErrorText()
  const channels = useChannelOptions()
  const input = useRef<HTMLInputElement>(null)
  const [text, setText] = useState('')
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<unknown>()
  const who = options.accounts.find((a) => a.id === account)
  const read = async (source: string) => {
    setBusy(true)
    setFailure(undefined)
    try {
      onChange([...(await readLines(account, source)).lines])
    } catch (error) {
      setFailure(error)
    } finally {
      setBusy(false)
    }
  }
  const put = (i: number, patch: Partial<LiveCodeBatchLine>) => onChange(lines.map((l, k) => (k === i ? { ...l, fault: undefined, message: undefined, ...patch } : l)))
  return (
    <div className="kp-stack">
      {options.accounts.length > 1 && <Select aria-label={t('form.account')} value={account} onChange={setAccount} style={{ width: 240 }} options={options.accounts.map((a) => ({ value: a.id, label: a.name }))} />}
      {lines.length === 0 ? (
        <>
          <textarea className={css.text} rows={7} value={text} onChange={(e) => setText(e.target.value)} aria-label={t('batch.lines')} placeholder={t('batch.sample')} />
          {failure !== undefined && <p className={css.fault}>{failure instanceof ApiError && failure.fields[0] ? failure.fields[0].detail : say(failure).detail}</p>}
          <div className="kp-row wrap">
            <Button type="primary" loading={busy} disabled={text.trim() === ''} onClick={() => void read(text)}>
              {t('batch.read')}
            </Button>
            <Button onClick={() => input.current?.click()}>{t('batch.file')}</Button>
            <Button onClick={() => onChange((who?.colleagues ?? []).filter((c) => !c.off).slice(0, 500).map((c) => ({ name: c.name, staff: [c.id] })))}>{t('batch.perColleague')}</Button>
            <input
              ref={input}
              type="file"
              accept=".csv,.txt"
              hidden
              aria-label={t('batch.file')}
              onChange={(e) => {
                const file = e.target.files?.[0]
                e.target.value = ''
                if (file) void decode(file).then(read)
              }}
            />
          </div>
        </>
      ) : (
        <>
          <div style={{ overflowX: 'auto' }}>
            <table className={css.lines}>
              <thead>
                <tr>
                  <th>{t('form.name')}</th>
                  <th>{t('batch.staff')}</th>
                  <th>{t('form.channel')}</th>
                  <th />
                </tr>
              </thead>
              <tbody>
                {lines.map((l, i) => (
                  <tr key={i}>
                    <td>
                      <Input value={l.name} maxLength={40} aria-label={t('form.name')} onChange={(e) => put(i, { name: e.target.value })} />
                      {(l.message ?? faultOf(`lines[${i}].name`) ?? faultOf(`lines[${i}].staff`)) && <p className={css.fault}>{l.message ?? faultOf(`lines[${i}].name`) ?? faultOf(`lines[${i}].staff`)}</p>}
                    </td>
                    <td style={{ minWidth: 220 }}>
                      <StaffSelect account={who} label={t('batch.staff')} value={l.staff ?? []} onChange={(staff) => put(i, { staff })} />
                    </td>
                    <td style={{ minWidth: 150 }}>
                      <Select
                        allowClear
                        aria-label={t('form.channel')}
                        style={{ width: '100%' }}
                        value={l.channel || undefined}
                        onChange={(c?: string) => put(i, { channel: c ?? '' })}
                        options={channels.filter((c) => c.value !== 'unknown')}
                      />
                    </td>
                    <td>
                      <Button type="text" aria-label={t('batch.remove', { name: l.name })} icon={<Trash2 size={15} aria-hidden />} onClick={() => onChange(lines.filter((_, k) => k !== i))} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <div>
            <Button type="link" onClick={() => onChange([])}>
              {t('batch.again')}
            </Button>
          </div>
        </>
      )}
    </div>
  )
}

/** A file's text: UTF-8, or else what Chinese spreadsheets write. */
async function decode(file: File): Promise<string> {
  const raw = await file.arrayBuffer()
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(raw)
  } catch {
    return new TextDecoder('gb18030').decode(raw)
  }
}

function Alike({ like, put, faultOf }: { like: LiveCodeInput; put: (p: Partial<LiveCodeInput>) => void; faultOf: (path: string) => string | undefined }) {
  const { t } = useTranslation('livecodes')
  const channels = useChannelOptions()
  const folders = useQuery(foldersQuery())
  const tags = useQuery(tagsQuery())
  const first = like.members[0] ?? { staff: '' }
  return (
    <div className="kp-stack">
      <div className={css.words}>
        <div className={css.field}>
          {t('list.folder')}
          <Select allowClear aria-label={t('list.folder')} value={like.folder || undefined} onChange={(f?: string) => put({ folder: f ?? '' })} options={(folders.data?.items ?? []).map((f) => ({ value: f.id, label: f.name }))} />
        </div>
        <div className={css.field}>
          {t('form.channel')}
          <Select
            allowClear
            aria-label={t('form.channel')}
            value={like.channel || undefined}
            onChange={(c?: string) => put({ channel: c ?? '' })}
            options={channels.filter((c) => c.value !== 'unknown')}
          />
        </div>
        <div className={css.field}>
          {t('after.tags')}
          <Select<string[]>
            mode="multiple"
            aria-label={t('after.tags')}
            value={[...(like.tags ?? [])]}
            onChange={(v) => put({ tags: v })}
            showSearch={{ optionFilterProp: 'label' }}
            options={(tags.data?.groups ?? []).map((g) => ({ label: g.name, title: g.name, options: (g.tags ?? []).map((x) => ({ value: x.id, label: x.name })) }))}
          />
        </div>
        <label className={css.field}>
          {t('after.remark')}
          <Input value={like.remark ?? ''} placeholder={t('after.remarkSample')} maxLength={60} onChange={(e) => put({ remark: e.target.value })} />
        </label>
        <label className={css.field}>
          {t('pool.cap')}
          <Input type="number" min={0} max={10000} value={first.cap || ''} placeholder={t('pool.noCap')} onChange={(e) => put({ members: [{ ...first, cap: Number(e.target.value) || 0 }] })} />
        </label>
      </div>
      <WeekTimes label={t('batch.shifts')} value={first.shifts ?? []} onChange={(shifts) => put({ members: [{ ...first, shifts }] })} />
      <WelcomeEditor label={t('welcome.title')} value={like.welcome ?? {}} onChange={(welcome) => put({ welcome })} path="like.welcome" faultOf={faultOf} />
    </div>
  )
}

/** How far the making is, and then the ways out of it. */
function Made({ job, names }: { job: string; names: readonly string[] }) {
  const { t } = useTranslation(['livecodes', 'common'])
  const { lang } = usePrefs()
  const go = useNavigate()
  const client = useQueryClient()
  const query = useQuery(jobQuery(job))
  const [poster, setPoster] = useState(false)
  const done = query.data?.state === 'succeeded'
  const result = (query.data?.result ?? {}) as { made?: string[]; failed?: number }
  const made = result.made ?? []
  useEffect(() => {
    if (done) void client.invalidateQueries({ queryKey: codesPage({}, lang).queryKey.slice(0, 1) })
  }, [done, client, lang])
  const zipURL = `/api/live-codes/qr.zip?size=600&${made.map((id) => `id=${encodeURIComponent(id)}`).join('&')}`
  return (
    <QueryState query={query} height={120}>
      {(j) => (
        <div className="kp-stack">
          <JobProgress job={j} />
          {done && (
            <>
              <p>{t('batch.done', { count: made.length })}</p>
              {(result.failed ?? 0) > 0 && <Alert type="warning" showIcon title={t('batch.failed', { count: result.failed })} />}
              <div className="kp-row wrap">
                <Button type="primary" onClick={() => void go('/live-codes')}>
                  {t('batch.list')}
                </Button>
                <Button icon={<Download size={14} aria-hidden />} href={zipURL}>
                  {t('batch.zip')}
                </Button>
                <Button icon={<ImageDown size={14} aria-hidden />} onClick={() => setPoster(true)}>
                  {t('common:poster.title')}
                </Button>
              </div>
              <p className="kp-muted">{t('batch.soon')}</p>
            </>
          )}
          {!done && <Link to="/jobs">{t('batch.jobs')}</Link>}
          {poster && (
            <Suspense>
              <Poster codes={made.map((id, i) => ({ id, name: names[i] ?? id }))} picture={(id) => qrURL(id, 'png', { size: 900 })} words={t('qr.words')} onClose={() => setPoster(false)} />
            </Suspense>
          )}
        </div>
      )}
    </QueryState>
  )
}
