import { useTranslation } from 'react-i18next'
import type { ConsentPurpose } from '@/shared/api/types'
import { Dialog } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Field, Form, useForm, useWatch } from '@/shared/ui/Form'
import { Button, Input, Segmented, Select } from '@/shared/ui/kit'
import { CHANNELS, setConsents, type ChannelId, type Said } from '../queries'
import { useText } from '../words'

interface Props {
  open: boolean
  onClose: () => void
  contact: string
  purposes: readonly ConsentPurpose[]
  /** The person may not be contacted at all. */
  stopped: boolean
  onDone: () => Promise<unknown>
}

interface Values {
  state: Said
  purpose: string
  channels: ChannelId[]
  reason: string
}

/** Staff write down what the person told them, with how they said it. */
export function ChangeConsent({ open, onClose, ...rest }: Props) {
  const { t } = useTranslation('consent')
  return (
    <Dialog open={open} onClose={onClose} title={t('change.title')} width={520}>
      <ChangeForm onClose={onClose} {...rest} />
    </Dialog>
  )
}

function ChangeForm({ onClose, contact, purposes, stopped, onDone }: Omit<Props, 'open'>) {
  const { t } = useTranslation(['consent', 'common'])
  const toast = useToast()
  const say = useText()
  const [form] = useForm<Values>()
  const purpose = useWatch('purpose', form)
  const chosen = purposes.find((p) => p.id === purpose)
  const channels = CHANNELS.filter((c) => chosen?.channels.includes(c))
  const save = async (v: Values) => {
    const list: ChannelId[] = channels.length === 0 || v.channels.length === 0 || v.channels.length === channels.length ? ['all'] : v.channels
    await setConsents(
      contact,
      list.map((channel) => ({ purpose: v.purpose, channel, state: v.state })),
      v.reason,
    )
    toast.done(t('change.done'))
    await onDone()
    onClose()
  }
  return (
    <Form<Values> form={form} initial={{ state: 'withdrawn', purpose: 'marketing', channels: [], reason: '' }} submit={t('common:action.save')} extra={<Button onClick={onClose}>{t('common:action.cancel')}</Button>} onSubmit={save}>
      <Field name="state" label={t('change.state')} rules={[{ required: true }]}>
        <Segmented<Said>
          options={[
            { value: 'withdrawn', label: t('state.withdrawn') },
            { value: 'granted', label: t('state.granted') },
          ]}
        />
      </Field>
      <Field name="purpose" label={t('change.purpose')} rules={[{ required: true }]}>
        <Select
          options={[...purposes.filter((p) => !p.archived).map((p) => ({ value: p.id, label: say(p.name) })), { value: 'everything', label: stopped ? t('change.lift') : t('everything') }]}
          onChange={() => form.setFieldValue('channels', [])}
        />
      </Field>
      {channels.length > 0 && (
        <Field name="channels" label={t('change.channels')} extra={t('change.channelsHint')}>
          <Select mode="multiple" options={channels.map((c) => ({ value: c, label: t(`channel.${c}`) }))} placeholder={t('channel.all')} />
        </Field>
      )}
      <Field name="reason" label={t('change.reason')} extra={t('change.reasonHint')} rules={[{ required: true, whitespace: true, message: t('change.reasonNeeded') }]}>
        <Input.TextArea autoSize={{ minRows: 2, maxRows: 6 }} maxLength={500} />
      </Field>
    </Form>
  )
}
