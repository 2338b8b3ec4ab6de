import { useQuery, useQueryClient } from '@tanstack/react-query'
import { FileUp } from 'lucide-react'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { codeText } from '@/shared/i18n/code'
import { Dialog } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Field, Form, useForm, useWatch } from '@/shared/ui/Form'
import { Alert, Button, Input, Select } from '@/shared/ui/kit'
import { AT_ONCE, listed } from '../limits'
import { blockValues, IDENTITY_KEY, kindsQuery } from '../queries'

type Blocking = Awaited<ReturnType<typeof blockValues>>

interface Values {
  kind: string
  values: string
  note: string
}

/** Blocks values that are typed, pasted or read from a file. */
export function BlockDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation(['identity', 'common'])
  const client = useQueryClient()
  const toast = useToast()
  const kinds = useQuery(kindsQuery())
  const [form] = useForm<Values>()
  const kind = useWatch('kind', form)
  const [result, setResult] = useState<Blocking>()
  const picker = useRef<HTMLInputElement>(null)
  const values = listed(useWatch('values', form) ?? '')
  const save = async (v: Values) => {
    const done = await blockValues({ kind: v.kind, values: listed(v.values), note: v.note?.trim() || undefined })
    await client.invalidateQueries({ queryKey: IDENTITY_KEY })
    if (done.refused.length === 0 && done.carried === 0) {
      toast.done(t('block.done', { count: done.added }))
      return onClose()
    }
    setResult(done)
  }
  const check = (text: string) => {
    const n = listed(text).length
    if (n === 0) return Promise.reject(new Error(t('block.needed')))
    return n > AT_ONCE ? Promise.reject(new Error(t('block.tooMany', { most: AT_ONCE }))) : Promise.resolve()
  }
  if (result) return <Outcome result={result} onClose={onClose} />
  return (
    <Dialog open onClose={onClose} title={t('block.title')} width={520}>
      <p className="kp-muted">{t('block.lead')}</p>
      <Form<Values> form={form} initial={{ kind: 'phone', values: '', note: '' }} submit={t('block.submit', { count: values.length })} extra={<Button onClick={onClose}>{t('common:action.cancel')}</Button>} onSubmit={save}>
        <Field name="kind" required label={t('kinds.kind')}>
          <Select options={(kinds.data ?? []).map((k) => ({ value: k.kind, label: codeText('contacts', 'identity', k.kind) }))} />
        </Field>
        <Field name="values" required label={t('block.values')} extra={t(kind === 'email' ? 'block.hintEmail' : 'block.hint')} rules={[{ validator: (_, text: string) => check(text) }]}>
          <Input.TextArea rows={6} autoComplete="off" />
        </Field>
        <p>
          <Button size="small" icon={<FileUp size={14} aria-hidden />} onClick={() => picker.current?.click()}>
            {t('block.file')}
          </Button>
          <input
            ref={picker}
            type="file"
            hidden
            accept=".txt,.csv,text/plain,text/csv"
            aria-label={t('block.file')}
            onChange={(e) => {
              const file = e.target.files?.[0]
              e.target.value = ''
              if (file) void file.text().then((read) => form.setFieldValue('values', [...values, ...listed(read)].join('\n')))
            }}
          />
        </p>
        <Field name="note" label={t('block.note')}>
          <Input maxLength={500} autoComplete="off" />
        </Field>
      </Form>
    </Dialog>
  )
}

/** What was blocked, what somebody carries, and which lines are no values. */
function Outcome({ result, onClose }: { result: Blocking; onClose: () => void }) {
  const { t } = useTranslation('identity')
  return (
    <Dialog open onClose={onClose} title={t('block.title')} width={520}>
      <div className="kp-stack">
        <Alert type="success" title={t('block.done', { count: result.added })} />
        {result.carried > 0 && <Alert type="warning" title={t('block.carried', { count: result.carried })} />}
        {result.refused.length > 0 && (
          <Alert
            type="error"
            title={t('block.refused', { count: result.refused.length })}
            description={
              <ul>
                {result.refused.map((r) => (
                  <li key={r.at}>
                    <b>{r.value}</b> {t(`refusedValue.${r.reason}`)}
                  </li>
                ))}
              </ul>
            }
          />
        )}
        <p>
          <Button type="primary" onClick={onClose}>
            {t('block.close')}
          </Button>
        </p>
      </div>
    </Dialog>
  )
}
