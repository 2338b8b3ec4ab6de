import { Dices } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Connector, ConnectorField, ConnectorInput, ConnectorKind } from '@/shared/api/types'
import { useToast } from '@/shared/ui/feedback'
import { Field, Form, useForm } from '@/shared/ui/Form'
import { Button, Input, Select } from '@/shared/ui/kit'
import { draftOf, inputOf, limitKey, type Draft } from '../draft'
import { optionOf } from '../kinds'
import { makeValue } from '../queries'
import { useSpan } from '../span'
import styles from './connectors.module.css'

interface Props {
  kind: ConnectorKind
  /** The account that is changed; none: a new one. */
  account?: Connector
  onSave: (input: ConnectorInput) => Promise<unknown>
  onClose: () => void
}

/** What an account is made of, each field with where on the platform it is found. */
export function AccountForm({ kind, account, onSave, onClose }: Props) {
  const { t } = useTranslation('connectors')
  const [form] = useForm<Draft>()
  const [more, setMore] = useState(false)
  const fill = (field: ConnectorField, value: string) => form.setFieldValue([field.secret ? 'secrets' : 'settings', field.name], value)
  return (
    <Form<Draft>
      form={form}
      submit={account ? t('form.save') : t('form.create')}
      initial={account ? draftOf(account, kind) : { settings: Object.fromEntries(kind.fields.filter((f) => f.default).map((f) => [f.name, f.default])) }}
      extra={<Button onClick={onClose}>{t('form.cancel')}</Button>}
      onSubmit={(draft) => onSave(inputOf(draft, kind.name))}
    >
      <Field name="name" label={t('form.name')} extra={t('form.nameHint')} rules={[{ required: true, whitespace: true, message: t('form.nameNeeded') }]}>
        <Input maxLength={60} autoFocus placeholder={t('form.nameExample')} />
      </Field>
      {kind.fields.map((f) => (
        <OneField key={f.name} kind={kind} field={f} isSet={Boolean(f.secret && account?.secrets.includes(f.name))} fill={(v) => fill(f, v)} />
      ))}
      <Button type="link" size="small" className={styles.more} aria-expanded={more} onClick={() => setMore(!more)}>
        {more ? t('form.less') : t('form.more')}
      </Button>
      <div hidden={!more}>
        {kind.base && (
          <Field name={['settings', 'base']} label={t('form.base')} extra={t('form.baseHint')}>
            <Input placeholder={kind.base} maxLength={500} />
          </Field>
        )}
        <Limits kind={kind} />
      </div>
    </Form>
  )
}

interface FieldProps {
  kind: ConnectorKind
  field: ConnectorField
  isSet: boolean
  fill: (value: string) => void
}

function OneField({ kind, field, isSet, fill }: FieldProps) {
  const { t } = useTranslation('connectors')
  const needed = field.required && !isSet
  // A secret that is there already stays when nothing is typed, and says so.
  const placeholder = isSet ? t('form.isSet') : field.example
  return (
    <Field
      name={[field.secret ? 'secrets' : 'settings', field.name]}
      label={field.label}
      extra={field.help}
      rules={needed ? [{ required: true, whitespace: true, message: t('form.needed') }] : undefined}
      required={needed}
    >
      {field.options ? (
        <Select options={field.options.map((o) => ({ value: o, label: optionOf(o, t) }))} />
      ) : field.make ? (
        <MadeInput kind={kind} field={field} placeholder={placeholder} fill={fill} />
      ) : field.lines ? (
        <Input.TextArea rows={5} placeholder={placeholder} autoComplete="off" spellCheck={false} />
      ) : field.secret ? (
        <Input.Password placeholder={placeholder} autoComplete="new-password" />
      ) : (
        <Input placeholder={placeholder} autoComplete="off" />
      )}
    </Field>
  )
}

/** An input for a value that the server can make up. It is shown in clear: it has to be copied to the platform. */
function MadeInput({ kind, field, placeholder, fill, ...input }: Omit<FieldProps, 'isSet'> & { placeholder?: string }) {
  const { t } = useTranslation('connectors')
  const toast = useToast()
  const make = async () => {
    try {
      fill((await makeValue(kind.name, field.name)).value)
    } catch (error) {
      toast.failed(error)
    }
  }
  return (
    <div className={styles.made}>
      <Input {...input} placeholder={placeholder} autoComplete="off" spellCheck={false} />
      <Button icon={<Dices size={15} aria-hidden />} aria-label={t('form.makeWhat', { what: field.label })} onClick={() => void make()}>
        {t('form.make')}
      </Button>
    </div>
  )
}

/** Limits that are others than those the platform publishes. */
function Limits({ kind }: { kind: ConnectorKind }) {
  const { t } = useTranslation('connectors')
  const span = useSpan()
  if (kind.quotas.length === 0) return null
  return (
    <fieldset className={styles.limits}>
      <legend>{t('form.limits')}</legend>
      <p className="kp-muted">{t('form.limitsHint')}</p>
      {kind.quotas.map((q) => (
        <Field key={limitKey(q)} name={['limits', limitKey(q)]} label={`${q.words ?? q.name} · ${span(q.per)}`} getValueFromEvent={numberOf}>
          <Input type="number" min={0} placeholder={String(q.most)} />
        </Field>
      ))}
    </fieldset>
  )
}

/** The number typed, null when the box is empty. */
function numberOf(event: { target: { value: string } }): number | null {
  return event.target.value === '' ? null : Number(event.target.value)
}
