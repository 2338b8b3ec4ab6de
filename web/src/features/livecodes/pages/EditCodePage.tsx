import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Plus, Trash2 } from 'lucide-react'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate, useParams } from 'react-router'
import { idempotencyKey } from '@/shared/api/client'
import { ApiError } from '@/shared/api/errors'
import type { LiveCode, LiveCodeInput, LiveCodeOptions } from '@/shared/api/types'
import { useChannelOptions } from '@/shared/lib/channels'
import { usePrefs } from '@/shared/lib/prefs'
import { useTimezone } from '@/shared/lib/session'
import { dayOf, dayStart } from '@/shared/lib/time'
import { tagsQuery } from '@/shared/rules/queries'
import { ConnectAccount } from '@/shared/ui/ConnectAccount'
import { Alert, Button, Input, Segmented, Select, Switch } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty, QueryState, useErrorText } from '@/shared/ui/states'
import { HookForm } from '../components/HookForm'
import css from '../components/livecodes.module.css'
import { Phone } from '../components/Phone'
import { StaffPool, StaffSelect } from '../components/StaffPool'
import { useFaults } from '../components/useFaults'
import { WeekTimes } from '@/shared/week/WeekTimes'
import { Fault, WelcomeEditor, type FaultOf } from '../components/WelcomeEditor'
import { CODES_KEY, codeQuery, createCode, foldersQuery, optionsQuery, poolsQuery, updateCode } from '../queries'
import { holds } from '@/shared/week/windows'

/** Makes a live code, or changes one: what it does at the left, the newcomer's phone at the right. */
export default function EditCodePage() {
  const { id } = useParams()
  const options = useQuery(optionsQuery())
  return <QueryState query={options}>{(o) => (id === undefined ? <New options={o} /> : <Load id={id} options={o} />)}</QueryState>
}

function New({ options }: { options: LiveCodeOptions }) {
  const { t } = useTranslation('livecodes')
  const account = options.accounts[0]
  if (!account)
    return (
      <Page>
        <PageHead title={t('form.new')} back={{ to: '/live-codes', label: t('title') }} />
        <Empty title={t('list.noAccount')} desc={t('list.noAccountDesc')} action={<ConnectAccount />} />
      </Page>
    )
  return <Edit options={options} first={{ name: '', account: account.id, members: [], verify: 'skip', greet: 'own', welcome: { text: t('welcome.first') } }} />
}

function Load({ id, options }: { id: string; options: LiveCodeOptions }) {
  const { lang } = usePrefs()
  // Once, and not again while somebody writes.
  const query = useQuery({ ...codeQuery(id, lang), refetchInterval: false, refetchOnWindowFocus: false })
  return (
    <QueryState query={query} height={400}>
      {(c) => <Edit options={options} code={c} first={c.definition} />}
    </QueryState>
  )
}

function Edit({ options, code, first }: { options: LiveCodeOptions; code?: LiveCode; first: LiveCodeInput }) {
  const { t } = useTranslation(['livecodes', 'common'])
  const go = useNavigate()
  const client = useQueryClient()
  const say = useErrorText()
  const [d, setD] = useState<LiveCodeInput>(first)
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<unknown>()
  const [key, setKey] = useState(idempotencyKey)
  const faultOf = useFaults(failure)
  const put = (patch: Partial<LiveCodeInput>) => setD((old) => ({ ...old, ...patch }))
  const account = options.accounts.find((a) => a.id === d.account)
  const home = code ? `/live-codes/${code.id}` : '/live-codes'
  const save = async () => {
    setBusy(true)
    setFailure(undefined)
    try {
      const saved = code ? await updateCode(code.id, d) : await createCode(d, key)
      await client.invalidateQueries({ queryKey: CODES_KEY })
      void go(`/live-codes/${saved.id}`)
    } catch (error) {
      setFailure(error)
      setKey(idempotencyKey()) // what was refused may be sent again, changed
      setBusy(false)
    }
  }
  const fields = failure instanceof ApiError ? failure.fields : []
  return (
    <Page>
      <PageHead
        title={code ? t('form.edit', { name: code.name }) : t('form.new')}
        back={code ? { to: home, label: code.name } : { to: home, label: t('title') }}
        extra={
          <>
            <Button onClick={() => void go(home)}>{t('common:action.cancel')}</Button>
            <Button type="primary" loading={busy} disabled={d.name.trim() === '' || d.members.length === 0} onClick={() => void save()}>
              {t('common:action.save')}
            </Button>
          </>
        }
      />
      {failure !== undefined && <Alert type="error" showIcon role="alert" style={{ marginBottom: 12 }} title={fields.length > 0 ? fields.map((f) => f.detail).join(' ') : say(failure).detail} />}
      <div className={css.edit}>
        <div className="kp-stack">
          <Basics d={d} put={put} options={options} fixed={code !== undefined} faultOf={faultOf} />
          <Panel title={t('form.pool')} desc={t('form.poolDesc')}>
            <div className="kp-stack">
              <StaffPool account={account} value={d.members} onChange={(members) => put({ members })} faultOf={faultOf} />
              <div className={css.field}>
                {t('form.backups')}
                <StaffSelect account={account} label={t('form.backups')} value={d.backups ?? []} onChange={(backups) => put({ backups })} />
              </div>
              <Verify d={d} put={put} faultOf={faultOf} />
            </div>
          </Panel>
          <Greeting d={d} put={put} faultOf={faultOf} />
          <After d={d} put={put} faultOf={faultOf} />
          <Panel title={t('hook.title')} desc={t('hook.desc')}>
            <HookForm value={d.hook} onChange={(hook) => put({ hook })} faultOf={faultOf} />
          </Panel>
          <Panel title={t('expiry.title')} desc={t('expiry.desc')}>
            <ExpiryForm d={d} put={put} options={options} faultOf={faultOf} />
          </Panel>
        </div>
        <Preview d={d} staff={account?.colleagues.find((c) => c.id === d.members[0]?.staff)?.name} />
      </div>
    </Page>
  )
}

interface PartProps {
  d: LiveCodeInput
  put: (patch: Partial<LiveCodeInput>) => void
  faultOf: FaultOf
}

function Basics({ d, put, options, fixed, faultOf }: PartProps & { options: LiveCodeOptions; fixed: boolean }) {
  const { t } = useTranslation('livecodes')
  const channels = useChannelOptions()
  const folders = useQuery(foldersQuery())
  return (
    <Panel>
      <div className={css.words}>
        <Labelled label={t('form.name')} fault={faultOf('name')}>
          <Input value={d.name} maxLength={40} autoFocus={!fixed} aria-label={t('form.name')} onChange={(e) => put({ name: e.target.value })} />
        </Labelled>
        <Labelled label={t('form.account')} fault={faultOf('account')}>
          <Select
            aria-label={t('form.account')}
            disabled={fixed || options.accounts.length < 2}
            value={d.account}
            onChange={(account) => put({ account, members: [], backups: [], expiry: undefined })}
            options={options.accounts.map((a) => ({ value: a.id, label: a.name }))}
          />
        </Labelled>
        <Labelled label={t('form.channel')} fault={faultOf('channel')} hint={t('form.channelHint')}>
          <Select
            aria-label={t('form.channel')}
            allowClear
            showSearch={{ optionFilterProp: 'label' }}
            value={d.channel || undefined}
            onChange={(c?: string) => put({ channel: c ?? '' })}
            options={channels.filter((c) => c.value !== 'unknown')}
          />
        </Labelled>
        <Labelled label={t('list.folder')} fault={faultOf('folder')}>
          <Select
            aria-label={t('list.folder')}
            allowClear
            value={d.folder || undefined}
            onChange={(f?: string) => put({ folder: f ?? '' })}
            options={(folders.data?.items ?? []).map((f) => ({ value: f.id, label: f.name }))}
          />
        </Labelled>
      </div>
    </Panel>
  )
}

/** A field with its label, what it is for, and what is wrong with it. */
function Labelled({ label, fault, hint, children }: { label: string; fault?: string; hint?: string; children: ReactNode }) {
  return (
    <div className={css.field}>
      {label}
      {children}
      {hint && <p className={css.hint}>{hint}</p>}
      <Fault text={fault} />
    </div>
  )
}

const VERIFY = ['skip', 'ask', 'windows'] as const

function Verify({ d, put, faultOf }: PartProps) {
  const { t } = useTranslation('livecodes')
  const verify = d.verify ?? 'skip'
  return (
    <div className={css.field}>
      {t('form.verify')}
      <div>
        <Segmented aria-label={t('form.verify')} value={verify} onChange={(v) => put({ verify: v })} options={VERIFY.map((v) => ({ value: v, label: t(`verify.${v}`) }))} />
      </div>
      <p className={css.hint}>{t(`verify.${verify}Hint`)}</p>
      {verify === 'windows' && <WeekTimes label={t('verify.windows')} value={d.skip ?? []} onChange={(skip) => put({ skip })} fault={faultOf('skip')} />}
    </div>
  )
}

const GREET = ['own', 'general', 'none'] as const

function Greeting({ d, put, faultOf }: PartProps) {
  const { t } = useTranslation('livecodes')
  const greet = d.greet ?? 'own'
  const timed = d.timed ?? []
  const room = d.hook?.attachment ? 8 : 9
  return (
    <Panel
      title={t('welcome.title')}
      desc={t('welcome.desc')}
      extra={<Segmented aria-label={t('welcome.title')} value={greet} onChange={(g) => put({ greet: g })} options={GREET.map((g) => ({ value: g, label: t(`welcome.${g}`) }))} />}
    >
      {greet !== 'own' ? (
        <p className="kp-muted">{t(`welcome.${greet}Hint`)}</p>
      ) : (
        <div className="kp-stack">
          <WelcomeEditor label={t('welcome.title')} value={d.welcome ?? {}} onChange={(welcome) => put({ welcome })} path="welcome" faultOf={faultOf} room={room} />
          {timed.map((w, i) => (
            <div key={i} className={css.timed}>
              <div className="kp-row">
                <b className="kp-grow">{t('welcome.timed', { n: i + 1 })}</b>
                <Button type="text" size="small" aria-label={t('welcome.removeTimed', { n: i + 1 })} icon={<Trash2 size={15} aria-hidden />} onClick={() => put({ timed: timed.filter((_, k) => k !== i) })} />
              </div>
              <WeekTimes label={t('welcome.timed', { n: i + 1 })} value={w.windows} onChange={(windows) => put({ timed: timed.map((x, k) => (k === i ? { ...x, windows } : x)) })} fault={faultOf(`timed[${i}].windows`)} />
              <WelcomeEditor label={t('welcome.timed', { n: i + 1 })} value={w} onChange={(next) => put({ timed: timed.map((x, k) => (k === i ? { ...next, windows: x.windows } : x)) })} path={`timed[${i}]`} faultOf={faultOf} room={room} />
            </div>
          ))}
          <div className="kp-row wrap">
            <Button icon={<Plus size={14} aria-hidden />} disabled={timed.length >= 20} onClick={() => put({ timed: [...timed, { windows: [{ days: [1, 2, 3, 4, 5, 6, 7], from: '21:00', to: '09:00' }], text: '' }] })}>
              {t('welcome.addTimed')}
            </Button>
            <span className="kp-grow" />
            <label className={css.small}>
              {t('welcome.person')}
              <Input value={d.person ?? ''} placeholder={t('welcome.personDefault')} maxLength={10} onChange={(e) => put({ person: e.target.value })} />
            </label>
          </div>
        </div>
      )}
    </Panel>
  )
}

function After({ d, put, faultOf }: PartProps) {
  const { t } = useTranslation('livecodes')
  const { lang } = usePrefs()
  const tags = useQuery(tagsQuery())
  const pools = useQuery(poolsQuery(lang))
  return (
    <Panel title={t('after.title')} desc={t('after.desc')}>
      <div className={css.words}>
        <Labelled label={t('after.tags')} fault={(d.tags ?? []).map((_, i) => faultOf(`tags[${i}]`)).find(Boolean) ?? faultOf('tags')}>
          <Select<string[]>
            mode="multiple"
            aria-label={t('after.tags')}
            value={[...(d.tags ?? [])]}
            onChange={(v) => put({ tags: v })}
            showSearch={{ optionFilterProp: 'label' }}
            options={(tags.data?.groups ?? []).map((g) => ({ label: g.name, title: g.name, options: (g.tags ?? []).map((x) => ({ value: x.id, label: x.name })) }))}
          />
        </Labelled>
        <Labelled label={t('after.remark')} fault={faultOf('remark')} hint={t('after.remarkHint')}>
          <Input value={d.remark ?? ''} placeholder={t('after.remarkSample')} maxLength={60} aria-label={t('after.remark')} onChange={(e) => put({ remark: e.target.value })} />
        </Labelled>
        <Labelled label={t('after.pool')} fault={faultOf('pool')}>
          <Select
            aria-label={t('after.pool')}
            allowClear
            value={d.pool || undefined}
            onChange={(p?: string) => put({ pool: p ?? '' })}
            options={(pools.data?.states ?? []).map((s) => ({ value: s.id, label: s.label }))}
          />
        </Labelled>
        {d.pool && (
          <Labelled label={t('after.poolDays')} fault={faultOf('poolDays')} hint={t('after.poolDaysHint')}>
            <Input type="number" min={1} max={730} value={d.poolDays || 7} aria-label={t('after.poolDays')} onChange={(e) => put({ poolDays: Number(e.target.value) || 0 })} />
          </Labelled>
        )}
      </div>
    </Panel>
  )
}

function ExpiryForm({ d, put, options, faultOf }: PartProps & { options: LiveCodeOptions }) {
  const { t } = useTranslation('livecodes')
  const zone = useTimezone()
  const account = options.accounts.find((a) => a.id === d.account)
  const e = d.expiry
  return (
    <div className="kp-stack">
      <label className={css.toggle}>
        <Switch
          size="small"
          checked={e !== undefined}
          onChange={(on) => put({ expiry: on ? { at: new Date(dayStart(dayOf(Date.now() + 31 * 86_400_000, zone), zone)).toISOString(), staff: d.members.slice(0, 1).map((m) => m.staff) } : undefined })}
        />
        {t('expiry.on')}
      </label>
      {e && (
        <div className={css.words}>
          <Labelled label={t('expiry.last')} fault={faultOf('expiry.at')} hint={t('expiry.lastHint')}>
            <Input
              type="date"
              aria-label={t('expiry.last')}
              value={dayOf(Date.parse(e.at) - 1, zone)}
              onChange={(x) => {
                if (/^\d{4}-\d{2}-\d{2}$/.test(x.target.value)) put({ expiry: { ...e, at: new Date(dayStart(dayOf(dayStart(x.target.value, zone).getTime() + 36 * 3_600_000, zone), zone)).toISOString() } })
              }}
            />
          </Labelled>
          <Labelled label={t('expiry.staff')} fault={faultOf('expiry.staff') ?? (e.staff ?? []).map((_, i) => faultOf(`expiry.staff[${i}]`)).find(Boolean)}>
            <StaffSelect account={account} label={t('expiry.staff')} value={e.staff ?? []} onChange={(staff) => put({ expiry: { ...e, staff } })} />
          </Labelled>
          <Labelled label={t('expiry.text')} fault={faultOf('expiry.text')} hint={t('expiry.textHint')}>
            <Input.TextArea rows={2} aria-label={t('expiry.text')} value={e.text ?? ''} onChange={(x) => put({ expiry: { ...e, text: x.target.value } })} />
          </Labelled>
        </div>
      )}
    </div>
  )
}

/** The newcomer's phone, at a time that can be chosen when welcomes differ by time. */
function Preview({ d, staff }: { d: LiveCodeInput; staff: string | undefined }) {
  const { t } = useTranslation('livecodes')
  const timed = d.timed ?? []
  const [shown, setShown] = useState(-1)
  const now = new Date()
  const day = ((now.getDay() + 6) % 7) + 1
  const current = timed.findIndex((w) => holds(w.windows, day, now.getHours() * 60 + now.getMinutes()))
  const index = shown >= timed.length ? -1 : shown
  const welcome = d.greet === 'none' ? {} : d.greet === 'general' ? { text: t('phone.general') } : index >= 0 ? timed[index] : d.welcome
  return (
    <aside className={css.side}>
      <Panel title={t('phone.title')} desc={current >= 0 ? t('phone.nowTimed', { n: current + 1 }) : undefined}>
        <div className="kp-stack">
          {timed.length > 0 && (d.greet ?? 'own') === 'own' && (
            <Segmented
              size="small"
              aria-label={t('phone.which')}
              value={index}
              onChange={setShown}
              options={[{ value: -1, label: t('phone.usual') }, ...timed.map((_, i) => ({ value: i, label: t('welcome.timed', { n: i + 1 }) }))]}
            />
          )}
          <Phone welcome={welcome} hook={d.hook} staff={staff ?? t('phone.staff')} customer={t('phone.customer')} code={d.name} />
        </div>
      </Panel>
    </aside>
  )
}
