import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useNavigate, useParams } from 'react-router'
import type { Connector, ConnectorKind } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { Drawer } from '@/shared/ui/Drawer'
import { useConfirm, useToast } from '@/shared/ui/feedback'
import { Button } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { QueryState } from '@/shared/ui/states'
import { AccountForm } from '../components/AccountForm'
import { CallbackSetup } from '../components/CallbackSetup'
import { CheckList } from '../components/CheckList'
import styles from '../components/connectors.module.css'
import { HealthChip } from '../components/Health'
import { Quotas } from '../components/Quotas'
import { SendTest } from '../components/SendTest'
import { optionOf } from '../kinds'
import { changeConnector, connectorQuery, deleteConnector, hangingOf, kindsQuery, pauseConnector } from '../queries'

/** One account: does it work, where the platform calls, what is left of its quotas. */
export default function ConnectorPage() {
  const { id = '' } = useParams()
  const { lang } = usePrefs()
  const query = useQuery(connectorQuery(id, lang))
  const kinds = useQuery(kindsQuery(lang))
  return (
    <Page>
      <QueryState query={query} height={420}>
        {(account) => <Account account={account} kind={kinds.data?.items.find((k) => k.name === account.kind)} />}
      </QueryState>
    </Page>
  )
}

function Account({ account, kind }: { account: Connector; kind: ConnectorKind | undefined }) {
  const { t } = useTranslation('connectors')
  const client = useQueryClient()
  const refresh = () => client.invalidateQueries({ queryKey: ['connectors'] })
  // Entering the address at the platform is the first thing to do.
  const newcomer = account.callbackPath && !account.calls.some((c) => c.outcome === 'verified' || c.outcome === 'proved')
  return (
    <>
      <PageHead
        title={account.name}
        heading={
          <span className="kp-row">
            {account.name} <HealthChip of={account} />
          </span>
        }
        desc={kind?.label ?? account.kind}
        back={{ to: '/connectors', label: t('title') }}
        extra={<Actions account={account} kind={kind} refresh={refresh} />}
      />
      <div className={styles.columns}>
        <div className="kp-stack">
          {newcomer && <CallbackSetup account={account} />}
          <CheckList account={account} onChecked={refresh} />
          {account.callbackPath && !newcomer && <CallbackSetup account={account} />}
        </div>
        <div className="kp-stack">
          {kind && <SettingsPanel account={account} kind={kind} />}
          <InboxPanel account={account} />
          {account.quotas && account.quotas.length > 0 && <Quotas quotas={account.quotas} />}
        </div>
      </div>
    </>
  )
}

function Actions({ account, kind, refresh }: { account: Connector; kind: ConnectorKind | undefined; refresh: () => Promise<unknown> }) {
  const { t } = useTranslation('connectors')
  const { lang } = usePrefs()
  const may = useCan('connector.write')
  const toast = useToast()
  const confirm = useConfirm()
  const go = useNavigate()
  const [editing, setEditing] = useState(false)
  if (!may) return null
  const paused = account.state === 'paused'
  const pause = async () => {
    if (paused) {
      try {
        await pauseConnector(account.id, false)
      } catch (error) {
        toast.failed(error)
      }
    } else await confirm({ title: t('pause.title', { name: account.name }), body: t('pause.body'), ok: t('pause.ok'), run: () => pauseConnector(account.id, true) })
    await refresh()
  }
  const remove = async () => {
    let going: { words: string; count: number }[] = []
    try {
      going = (await hangingOf(account.id)).items
    } catch (error) {
      toast.failed(error) // nobody decides without knowing what goes
      return
    }
    const body = (
      <>
        <p>{t('delete.body')}</p>
        {going.length > 0 && (
          <>
            <p>{t('delete.along')}</p>
            <ul>
              {going.map((g) => (
                <li key={g.words}>
                  <b className="kp-num">{formatInt(g.count, lang)}</b> {g.words}
                </li>
              ))}
            </ul>
          </>
        )}
      </>
    )
    const done = await confirm({ title: t('delete.title', { name: account.name }), body, ok: t('delete.ok'), danger: true, run: () => deleteConnector(account.id) })
    if (!done) return
    await go('/connectors')
    await refresh()
  }
  return (
    <span className="kp-row">
      <Button danger onClick={() => void remove()}>
        {t('delete.ok')}
      </Button>
      <Button onClick={() => void pause()}>{paused ? t('pause.resume') : t('pause.ok')}</Button>
      {kind?.capabilities.includes('test') && <SendTest account={account} />}
      <Button onClick={() => setEditing(true)} disabled={!kind}>
        {t('edit')}
      </Button>
      <Drawer open={editing} onClose={() => setEditing(false)} title={t('editOf', { name: account.name })} width={520}>
        {kind && (
          <AccountForm
            kind={kind}
            account={account}
            onClose={() => setEditing(false)}
            onSave={async (input) => {
              await changeConnector(account.id, input)
              await refresh()
              setEditing(false)
              toast.done(t('saved'))
            }}
          />
        )}
      </Drawer>
    </span>
  )
}

/** What the account was set up with. Of secrets it says only whether they are there. */
function SettingsPanel({ account, kind }: { account: Connector; kind: ConnectorKind }) {
  const { t } = useTranslation('connectors')
  return (
    <Panel title={t('settings.title')}>
      <dl className={styles.settings}>
        {kind.fields.map((f) => (
          <div key={f.name} style={{ display: 'contents' }}>
            <dt>{f.label}</dt>
            <dd>{f.secret ? (account.secrets.includes(f.name) ? t('settings.set') : t('settings.notSet')) : account.settings[f.name] === undefined ? t('settings.notSet') : f.options ? optionOf(account.settings[f.name] ?? '', t) : account.settings[f.name]}</dd>
          </div>
        ))}
        {account.settings.base && (
          <>
            <dt>{t('form.base')}</dt>
            <dd>{account.settings.base}</dd>
          </>
        )}
      </dl>
    </Panel>
  )
}

function InboxPanel({ account }: { account: Connector }) {
  const { t } = useTranslation('connectors')
  const { waiting, held, dead } = account.inbox
  return (
    <Panel title={t('inbox.title')} extra={<Link to={`/callbacks?account=${account.id}`}>{t('inbox.all')}</Link>}>
      <dl className={styles.settings}>
        <dt>{t('state.waiting')}</dt>
        <dd className="kp-num">{waiting}</dd>
        {held > 0 && (
          <>
            <dt>{t('state.held')}</dt>
            <dd className="kp-num">{held}</dd>
          </>
        )}
        <dt>{t('state.dead')}</dt>
        <dd className="kp-num">{dead > 0 ? <Link to={`/callbacks?account=${account.id}&state=dead`}>{dead}</Link> : dead}</dd>
      </dl>
    </Panel>
  )
}
