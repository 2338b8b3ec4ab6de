import { useQuery, useQueryClient } from '@tanstack/react-query'
import { EllipsisVertical, KeyRound, Pause, Pencil, Play, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate, useParams } from 'react-router'
import type { Webhook } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { useConfirm, useToast } from '@/shared/ui/feedback'
import { Alert, Button, Dropdown } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { QueryState } from '@/shared/ui/states'
import { DateTime, TimeAgo } from '@/shared/ui/values'
import { Code, VerifyCode } from '../components/Code'
import { Deliveries } from '../components/Deliveries'
import { HookState } from '../components/HookState'
import { SecretDialog } from '../components/SecretDialog'
import { SegmentNames } from '../components/SegmentNames'
import { useTest } from '../components/TestWebhook'
import { WebhookForm } from '../components/WebhookForm'
import css from '../components/webhooks.module.css'
import { deleteWebhook, newSecret, updateWebhook, WEBHOOKS_KEY, webhookQuery } from '../queries'
import { DELIVERY } from '../samples'
import { inputOf } from '../webhook'

/** One webhook: how it does, what has not arrived, and what its receiver must know. */
export default function WebhookPage() {
  const { id = '' } = useParams()
  const { lang } = usePrefs()
  const query = useQuery(webhookQuery(id, lang))
  return (
    <QueryState query={query} height={400}>
      {(w) => <Body key={w.id} webhook={w} />}
    </QueryState>
  )
}

function Body({ webhook: w }: { webhook: Webhook }) {
  const { t } = useTranslation('webhooks')
  const client = useQueryClient()
  const go = useNavigate()
  const toast = useToast()
  const confirm = useConfirm()
  const may = useCan('keys.write')
  const [editing, setEditing] = useState(false)
  const [secret, setSecret] = useState<string>()
  const test = useTest(w.id)
  const paused = w.state === 'paused'
  const refresh = () => client.invalidateQueries({ queryKey: WEBHOOKS_KEY })
  const pause = () => confirm({ title: t('pause.title', { name: w.name }), body: t('pause.body'), ok: t('pause.ok'), run: () => updateWebhook(w.id, inputOf(w, { paused: true })) }).then((done) => (done ? refresh() : undefined))
  const resume = async () => {
    try {
      await updateWebhook(w.id, inputOf(w, { paused: false }))
      await refresh()
    } catch (error) {
      toast.failed(error)
    }
  }
  const replace = () => confirm({ title: t('secret.replaceTitle', { name: w.name }), body: t('secret.replaceBody'), ok: t('secret.replace'), danger: true, run: async () => setSecret((await newSecret(w.id)).secret) })
  const remove = () =>
    confirm({ title: t('remove.title', { name: w.name }), body: w.waiting + w.dead > 0 ? t('remove.bodyWaiting', { count: w.waiting + w.dead }) : t('remove.body'), ok: t('remove.ok'), danger: true, run: () => deleteWebhook(w.id) }).then((done) => {
      if (!done) return
      void go('/webhooks')
      client.removeQueries({ queryKey: [...WEBHOOKS_KEY, 'one', w.id] })
      void refresh()
    })
  return (
    <Page>
      <PageHead
        title={w.name}
        heading={
          <span className={css.heading}>
            {w.name} <HookState webhook={w} />
          </span>
        }
        back={{ to: '/webhooks', label: t('title') }}
        extra={
          may && (
            <>
              {test.button}
              {paused ? (
                <Button type="primary" icon={<Play size={15} aria-hidden />} onClick={() => void resume()}>
                  {t('resume')}
                </Button>
              ) : (
                <Button icon={<Pause size={15} aria-hidden />} onClick={() => void pause()}>
                  {t('pause.ok')}
                </Button>
              )}
              <Button icon={<Pencil size={15} aria-hidden />} onClick={() => setEditing(true)}>
                {t('edit')}
              </Button>
              <Dropdown
                trigger={['click']}
                placement="bottomRight"
                menu={{
                  items: [
                    { key: 'secret', icon: <KeyRound size={14} aria-hidden />, label: t('secret.replace') },
                    { key: 'remove', icon: <Trash2 size={14} aria-hidden />, label: t('remove.ok'), danger: true },
                  ],
                  onClick: ({ key }) => void (key === 'secret' ? replace() : remove()),
                }}
              >
                <Button aria-label={t('more')} icon={<EllipsisVertical size={16} aria-hidden />} />
              </Dropdown>
            </>
          )
        }
      />
      <div className="kp-stack">
        {test.result}
        {w.message && <Alert type={paused ? 'error' : 'warning'} showIcon role="alert" title={w.message} description={paused ? t('stoppedHint') : t('failingHint')} />}
        {paused && !w.message && <Alert type="info" showIcon title={t('pausedHint')} />}
        <Panel>
          <Facts webhook={w} />
        </Panel>
        <Deliveries webhook={w} />
        <Receiver />
      </div>
      {editing && (
        <WebhookForm
          open
          of={w}
          onClose={() => setEditing(false)}
          save={async (input) => {
            await updateWebhook(w.id, input)
            setEditing(false)
            await refresh()
          }}
        />
      )}
      <SecretDialog secret={secret} title={t('secret.replaced')} onClose={() => setSecret(undefined)} />
    </Page>
  )
}

/** What it tells, to where, and how much has arrived. */
function Facts({ webhook: w }: { webhook: Webhook }) {
  const { t } = useTranslation('webhooks')
  const { lang } = usePrefs()
  return (
    <dl className={css.facts}>
      <dt>{t('form.url')}</dt>
      <dd>
        <code>{w.url}</code>
      </dd>
      <dt>{t('form.segments')}</dt>
      <dd>
        <SegmentNames ids={w.segments} links />
      </dd>
      <dt>{t('form.events')}</dt>
      <dd>
        {w.events.map((e) => t(e === 'segment.entered' ? 'event.entered' : 'event.left')).join(' · ')}
        {w.liveOnly && <span className="kp-muted"> · {t('form.live')}</span>}
      </dd>
      <dt>{t('col.sent')}</dt>
      <dd className="kp-num">{formatInt(w.sent, lang)}</dd>
      <dt>{t('col.sentAt')}</dt>
      <dd>{w.sentAt ? <TimeAgo at={w.sentAt} /> : <span className="kp-muted">{t('never')}</span>}</dd>
      <dt>{t('created')}</dt>
      <dd>
        <DateTime at={w.createdAt} />
      </dd>
    </dl>
  )
}

/** What the people behind the address have to build. */
function Receiver() {
  const { t } = useTranslation('webhooks')
  return (
    <Panel title={t('receiver.title')} desc={t('receiver.desc')}>
      <ul className={css.steps}>
        <li>{t('receiver.answer')}</li>
        <li>{t('receiver.order')}</li>
        <li>{t('receiver.repeat')}</li>
      </ul>
      <div className={css.receiver}>
        <div>
          <div className={css.pick}>
            <span>{t('receiver.example')}</span>
          </div>
          <Code text={DELIVERY} label={t('receiver.example')} />
        </div>
        <VerifyCode />
      </div>
    </Panel>
  )
}
