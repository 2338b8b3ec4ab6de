import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Archive, ArchiveRestore, Pencil, Users } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { useNavigate, useParams } from 'react-router'
import type { LiveCode } from '@/shared/api/types'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { useUrlChoice } from '@/shared/lib/url'
import { useConfirm, useToast } from '@/shared/ui/feedback'
import { Alert, Button, Tabs } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { QueryState } from '@/shared/ui/states'
import { DateTime } from '@/shared/ui/values'
import { CodeState } from '../components/CodeState'
import { Duties } from '../components/Duties'
import css from '../components/livecodes.module.css'
import { Log } from '../components/Log'
import { Phone } from '../components/Phone'
import { QR } from '../components/QR'
import { Statistics } from '../components/Statistics'
import { WhoCame } from '../components/WhoCame'
import { archiveCode, CODES_KEY, codeQuery, restoreCode } from '../queries'

const TABS = ['stats', 'people', 'welcome', 'log'] as const

/** One live code: its QR, who meets scans just now, and what came of it. */
export default function CodePage() {
  const { id = '' } = useParams()
  const { lang } = usePrefs()
  const query = useQuery(codeQuery(id, lang))
  return (
    <Page>
      <QueryState query={query} height={500}>
        {(c) => <View code={c} />}
      </QueryState>
    </Page>
  )
}

function View({ code }: { code: LiveCode }) {
  const { t } = useTranslation('livecodes')
  const go = useNavigate()
  const client = useQueryClient()
  const toast = useToast()
  const confirm = useConfirm()
  const mayWrite = useCan('acquire.write')
  const mayPeople = useCan('contact.read')
  const [tab, setTab] = useUrlChoice('tab', TABS, 'stats')
  const refresh = () => client.invalidateQueries({ queryKey: CODES_KEY })
  const archive = () =>
    void confirm({ title: t('archive.title', { name: code.name }), body: t('archive.body'), ok: t('archive.ok'), danger: true, run: () => archiveCode(code.id) }).then((done) => {
      if (done) void refresh()
    })
  const restore = async () => {
    try {
      await restoreCode(code.id)
      await refresh()
      toast.done(t('archive.restored'))
    } catch (error) {
      toast.failed(error)
    }
  }
  return (
    <>
      <PageHead
        title={code.name}
        back={{ to: '/live-codes', label: t('title') }}
        desc={<CodeState code={code} />}
        extra={
          <>
            {mayPeople && (
              <Button icon={<Users size={15} aria-hidden />} onClick={() => void go(peopleLink(code.id))}>
                {t('view.people')}
              </Button>
            )}
            {mayWrite && code.state === 'active' && (
              <>
                <Button icon={<Archive size={15} aria-hidden />} onClick={archive}>
                  {t('archive.ok')}
                </Button>
                <Button type="primary" icon={<Pencil size={15} aria-hidden />} onClick={() => void go(`/live-codes/${code.id}/edit`)}>
                  {t('view.edit')}
                </Button>
              </>
            )}
            {mayWrite && code.state === 'archived' && (
              <Button icon={<ArchiveRestore size={15} aria-hidden />} onClick={() => void restore()}>
                {t('archive.restore')}
              </Button>
            )}
          </>
        }
      />
      <Notes code={code} />
      <div className={css.code}>
        <div className="kp-stack">
          <Panel>
            <QR code={code} />
          </Panel>
          <Panel title={t('duty.title')} desc={code.updatedAt ? <>{t('duty.since')} <DateTime at={code.updatedAt} /></> : undefined}>
            <Duties code={code} />
          </Panel>
        </div>
        <Panel flush>
          <Tabs
            activeKey={tab}
            onChange={(k) => setTab(TABS.find((x) => x === k))}
            style={{ padding: '0 16px' }}
            items={TABS.map((k) => ({ key: k, label: t(`view.${k}`) }))}
          />
          <div style={{ padding: '0 16px 16px' }}>
            {tab === 'stats' && <Statistics id={code.id} />}
            {tab === 'people' && <WhoCame id={code.id} />}
            {tab === 'welcome' && <Welcomes code={code} />}
            {tab === 'log' && <Log id={code.id} />}
          </div>
        </Panel>
      </div>
    </>
  )
}

/** The list of contacts who came by a code. */
export function peopleLink(id: string): string {
  const rule = { v: 1, all: [{ event: { name: 'friend.added', where: [{ property: 'code', op: 'is', value: id }] } }] }
  return `/contacts?where=${encodeURIComponent(JSON.stringify(rule))}`
}

/** What is not as it should be, and what to do about it. */
function Notes({ code }: { code: LiveCode }) {
  const { t } = useTranslation('livecodes')
  const note = (type: 'error' | 'warning' | 'info', title: string, more?: React.ReactNode) => <Alert type={type} showIcon title={title} description={more} style={{ marginBottom: 12 }} />
  return (
    <>
      {code.fault && note('error', code.message ?? t('state.fault'), code.nextTryAt && <>{t('view.nextTry')} <DateTime at={code.nextTryAt} /></>)}
      {!code.fault && code.why === 'nobody' && note('warning', t('view.nobody'))}
      {!code.fault && code.why === 'backup' && note('info', t('view.backup'))}
      {code.state === 'active' && code.expired && note('info', t('view.expired'))}
      {code.failed > 0 && note('warning', t('view.failed', { count: code.failed }))}
    </>
  )
}

function Welcomes({ code }: { code: LiveCode }) {
  const { t } = useTranslation('livecodes')
  const d = code.definition
  const staff = code.duties[0]?.name ?? t('phone.staff')
  if (d.greet === 'none' && !d.hook) return <p className="kp-muted">{t('welcome.noneHint')}</p>
  const all = [{ key: 'usual', title: t('phone.usual'), welcome: d.greet === 'general' ? { text: t('phone.general') } : d.welcome }, ...(d.timed ?? []).map((w, i) => ({ key: String(i), title: t('welcome.timed', { n: i + 1 }), welcome: w }))]
  return (
    <div className="kp-grid cols-3">
      {all.map((w) => (
        <div key={w.key} className="kp-stack">
          <b>{w.title}</b>
          <Phone welcome={w.welcome} hook={d.hook} staff={staff} customer={t('phone.customer')} code={code.name} />
        </div>
      ))}
    </div>
  )
}

