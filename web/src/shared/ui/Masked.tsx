import { Eye } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useCan } from '../lib/session'
import { CopyText } from './copy'
import { Dialog } from './Drawer'
import { Field, Form } from './Form'
import { Button, Input, Tooltip } from './kit'

interface Props {
  /** The value with its middle hidden, as the server sends it. */
  value: string
  /** What it is, such as "phone". */
  label: string
  /** Fetches the full value; the reason goes into the audit log. */
  reveal: (reason: string) => Promise<string>
}

/** A hidden value that those who may can open, giving a reason that is recorded. */
export function Masked({ value, label, reveal }: Props) {
  const { t } = useTranslation()
  const may = useCan('contact.unmask')
  const [open, setOpen] = useState(false)
  const [shown, setShown] = useState<{ masked: string; full: string }>()
  // A new masked value (another person, an edit) hides what was opened before.
  if (shown && shown.masked === value) return <CopyText text={shown.full} mono={false} label={label} />
  return (
    <span className="kp-copy">
      <span className="kp-num">{value}</span>
      {may && (
        <Tooltip title={t('mask.show')}>
          <Button type="text" size="small" aria-label={t('mask.showWhat', { what: label })} icon={<Eye size={14} aria-hidden />} onClick={() => setOpen(true)} />
        </Tooltip>
      )}
      <Dialog open={open} onClose={() => setOpen(false)} title={t('mask.showWhat', { what: label })}>
        <p className="kp-muted kp-dialog-lead">{t('mask.recorded')}</p>
        <Form<{ reason: string }>
          submit={t('mask.show')}
          onSubmit={async ({ reason }) => {
            setShown({ masked: value, full: await reveal(reason.trim()) })
            setOpen(false)
          }}
        >
          <Field name="reason" label={t('mask.reason')} rules={[{ required: true, whitespace: true, message: t('mask.reasonNeeded') }]}>
            <Input.TextArea rows={2} maxLength={200} autoFocus placeholder={t('mask.reasonExample')} />
          </Field>
        </Form>
      </Dialog>
    </span>
  )
}
