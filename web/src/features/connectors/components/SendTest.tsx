import { useQuery } from '@tanstack/react-query'
import { Send } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Connector, ConnectorTest, ConnectorTested } from '@/shared/api/types'
import { Chip } from '@/shared/ui/chips'
import { Drawer } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Field, Form, useForm } from '@/shared/ui/Form'
import { Alert, Button, Checkbox, Input, Select } from '@/shared/ui/kit'
import { sendTest, templatesQuery, testedQuery } from '../queries'

interface Draft {
  to: string
  template?: string
  params?: Record<string, string>
  title?: string
  text?: string
  marketing?: boolean
}

/** A button that sends one message to a number or an address, and what became of it. */
export function SendTest({ account }: { account: Connector }) {
  const { t } = useTranslation('connectors')
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button icon={<Send size={15} aria-hidden />} onClick={() => setOpen(true)} disabled={account.state === 'paused'}>
        {t('test.open')}
      </Button>
      <Drawer open={open} onClose={() => setOpen(false)} title={t('test.title')} width={520}>
        {open && <TestForm account={account} onClose={() => setOpen(false)} />}
      </Drawer>
    </>
  )
}

function TestForm({ account, onClose }: { account: Connector; onClose: () => void }) {
  const { t } = useTranslation('connectors')
  const toast = useToast()
  const mail = account.kind === 'mail'
  const [form] = useForm<Draft>()
  const [template, setTemplate] = useState<string>()
  const [sent, setSent] = useState<ConnectorTested>()
  const templates = useQuery({ ...templatesQuery(account.id), enabled: !mail })
  const chosen = templates.data?.items?.find((x) => x.id === template)
  const submit = async (d: Draft) => {
    const body: ConnectorTest = mail
      ? { to: d.to, title: d.title, text: d.text, marketing: d.marketing ?? false }
      : { to: d.to, template: d.template, params: (chosen?.params ?? []).map((name) => ({ name, value: d.params?.[name] ?? '' })) }
    const got = await sendTest(account.id, body)
    setSent(got)
    toast.done(t('test.sent'))
  }
  return (
    <div className="kp-stack">
      <p className="kp-muted">{t(mail ? 'test.descMail' : 'test.descSms')}</p>
      <Form<Draft> form={form} submit={t('test.send')} extra={<Button onClick={onClose}>{t('form.cancel')}</Button>} onSubmit={submit}>
        <Field name="to" label={t(mail ? 'test.address' : 'test.number')} rules={[{ required: true, whitespace: true, message: t('test.toNeeded') }]}>
          <Input maxLength={254} autoFocus inputMode={mail ? 'email' : 'tel'} placeholder={t(mail ? 'test.addressExample' : 'test.numberExample')} />
        </Field>
        {mail ? (
          <>
            <Field name="title" label={t('test.subject')} rules={[{ required: true, whitespace: true, message: t('test.subjectNeeded') }]}>
              <Input maxLength={200} />
            </Field>
            <Field name="text" label={t('test.text')} extra={t('test.textHint')} rules={[{ required: true, whitespace: true, message: t('test.textNeeded') }]}>
              <Input.TextArea rows={5} maxLength={20000} />
            </Field>
            <Field name="marketing" label={t('test.marketing')} extra={t('test.marketingHint')} valuePropName="checked">
              <Checkbox>{t('test.marketingOn')}</Checkbox>
            </Field>
          </>
        ) : (
          <>
            <Field name="template" label={t('test.template')} extra={chosen?.text} rules={[{ required: true, message: t('test.templateNeeded') }]}>
              <Select
                loading={templates.isPending}
                onChange={(v: string) => setTemplate(v)}
                options={(templates.data?.items ?? []).map((x) => ({ value: x.id, disabled: x.state !== 'ok', label: x.state === 'ok' ? x.name : t('test.notApproved', { name: x.name }) }))}
              />
            </Field>
            {templates.error && <Alert type="warning" showIcon title={t('test.noTemplates')} />}
            {chosen?.params?.map((name) => (
              <Field key={name} name={['params', name]} label={t('test.param', { name })} rules={[{ required: true, whitespace: true, message: t('test.paramNeeded') }]}>
                <Input maxLength={200} />
              </Field>
            ))}
          </>
        )}
      </Form>
      {sent && <Outcome account={account.id} sent={sent} />}
    </div>
  )
}

/** What the message said, and how far it got: asked for again until it is known. */
function Outcome({ account, sent }: { account: string; sent: ConnectorTested }) {
  const { t } = useTranslation('connectors')
  const since = useQuery({ ...testedQuery(account, sent.id ?? ''), enabled: Boolean(sent.id), refetchInterval: (q) => (q.state.data && q.state.data.receipt?.state !== 'accepted' ? false : 2_000) })
  const now = since.data ?? sent
  const state = now.receipt?.state ?? 'accepted'
  const tone = state === 'delivered' || state === 'read' ? 'good' : state === 'accepted' ? 'info' : 'bad'
  return (
    <div className="kp-stack" aria-live="polite">
      <span className="kp-row">
        <Chip tone={tone}>{t(`test.state.${state as 'accepted'}`)}</Chip>
        {sent.segments ? <span className="kp-muted">{t('test.segments', { count: sent.segments })}</span> : null}
      </span>
      <p style={{ whiteSpace: 'pre-wrap', margin: 0 }}>{sent.text}</p>
      {now.message && <Alert type="warning" showIcon title={now.message} />}
    </div>
  )
}
