import { Form as AntForm, type FormInstance } from 'antd'
import { useState, type ReactNode } from 'react'
import { ApiError } from '../api/errors'
import { Alert, Button } from './kit'
import { useErrorText } from './states'

interface Props<V extends object> {
  /** Sends the values. A refusal that names fields is shown at the fields, anything else above the form. */
  onSubmit: (values: V) => Promise<unknown>
  initial?: Partial<V>
  submit: string
  children: ReactNode
  /** Stands beside the submit button. */
  extra?: ReactNode
  form?: FormInstance<V>
  /** Fills the width with the button, for narrow forms. */
  block?: boolean
  disabled?: boolean
  onChange?: (values: Partial<V>) => void
}

/** "lines.0.sku" and "/lines/0/sku" are both ['lines', 0, 'sku']. */
function namePath(path: string): (string | number)[] {
  return path
    .replace(/^body[./]|^[./]/, '')
    .split(/[./]/)
    .filter(Boolean)
    .map((p) => (/^\d+$/.test(p) ? Number(p) : p))
}

/** A request id helps only when the server is at fault. */
const failedInside = (error: unknown) => error instanceof ApiError && error.status >= 500

/** The form of the console: labels above, one submit button, server refusals where they belong. */
export function Form<V extends object>({ onSubmit, initial, submit, children, extra, form: given, block, disabled, onChange }: Props<V>) {
  const [own] = AntForm.useForm<V>()
  const form = given ?? own
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<unknown>()
  const say = useErrorText()

  const place = (error: unknown) => {
    if (!(error instanceof ApiError)) return setFailure(error)
    const known = error.fields.filter((f) => form.getFieldInstance(namePath(f.path) as never) !== undefined)
    form.setFields(known.map((f) => ({ name: namePath(f.path), errors: [f.detail] })) as never)
    const first = known[0]
    if (first) form.scrollToField(namePath(first.path) as never, { focus: true })
    setFailure(known.length === 0 || known.length < error.fields.length ? error : undefined)
  }
  const send = async (values: V) => {
    setBusy(true)
    setFailure(undefined)
    try {
      await onSubmit(values)
    } catch (error) {
      place(error)
    } finally {
      setBusy(false)
    }
  }
  const words = failure === undefined ? undefined : say(failure)
  return (
    <AntForm<V>
      form={form}
      noValidate // the browser's own bubbles would cover ours, in its language
      layout="vertical"
      requiredMark="optional"
      initialValues={initial}
      disabled={disabled}
      scrollToFirstError={{ focus: true }}
      onFinish={(values) => void send(values)}
      onValuesChange={(_, all) => onChange?.(all)}
    >
      {words && (
        <Alert
          className="kp-form-alert"
          type="error"
          showIcon
          role="alert"
          title={
            <>
              {words.detail}
              {failedInside(failure) && words.requestId && <code className="kp-request-id">{words.requestId}</code>}
            </>
          }
        />
      )}
      {children}
      <div className="kp-row kp-form-actions">
        <Button type="primary" htmlType="submit" loading={busy} block={block} size={block ? 'large' : undefined}>
          {submit}
        </Button>
        {extra}
      </div>
    </AntForm>
  )
}

/** One labelled field. */
export const Field = AntForm.Item
/** A handle on a form's values. */
export const useForm = AntForm.useForm
/** Watches one value of a form. */
export const useWatch = AntForm.useWatch
