import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import type { Webhook, WebhookInput } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { Dialog } from '@/shared/ui/Drawer'
import { Field, Form } from '@/shared/ui/Form'
import { Button, Checkbox, Input, Select } from '@/shared/ui/kit'
import { segmentNamesQuery } from '../queries'
import { EVENTS, inputOf, type Told } from '../webhook'

interface Props {
  open: boolean
  onClose: () => void
  /** The one that is changed; undefined: a new one is made. */
  of?: Webhook
  save: (input: WebhookInput) => Promise<unknown>
}

type Values = Pick<WebhookInput, 'name' | 'url' | 'segments' | 'events'> & { liveOnly: boolean }

/** What a webhook is made of. */
export function WebhookForm({ open, onClose, of, save }: Props) {
  const { t } = useTranslation('webhooks')
  const maySegments = useCan('segment.read')
  const names = useQuery({ ...segmentNamesQuery(), enabled: open && maySegments })
  const words: Record<Told, string> = { 'segment.entered': t('event.entered'), 'segment.left': t('event.left') }
  const initial: Values = of ? { ...inputOf(of), liveOnly: of.liveOnly ?? false } : { name: '', url: '', segments: [], events: [...EVENTS], liveOnly: true }
  return (
    <Dialog open={open} onClose={onClose} title={of ? t('form.edit', { name: of.name }) : t('new')} width={560}>
      <Form<Values>
        initial={initial}
        submit={of ? t('form.save') : t('form.create')}
        extra={<Button onClick={onClose}>{t('cancel')}</Button>}
        onSubmit={(v) => {
          const input = { ...v, name: v.name.trim(), url: v.url.trim() }
          return save(of ? inputOf(of, input) : input)
        }}
      >
        <Field name="name" label={t('form.name')} rules={[{ required: true, whitespace: true, message: t('form.nameNeeded') }]}>
          <Input maxLength={60} placeholder={t('form.nameHint')} autoFocus />
        </Field>
        <Field name="url" label={t('form.url')} extra={t('form.urlHint')} rules={[{ required: true, whitespace: true, message: t('form.urlNeeded') }]}>
          <Input maxLength={2000} type="url" inputMode="url" placeholder={t('form.urlExample')} autoComplete="off" spellCheck={false} />
        </Field>
        <Field name="segments" label={t('form.segments')} extra={t('form.segmentsHint')}>
          <Select
            mode="multiple"
            allowClear
            loading={names.isFetching && !names.data}
            disabled={!maySegments}
            placeholder={t('form.allSegments')}
            showSearch={{ optionFilterProp: 'label' }}
            options={(names.data ?? []).map((s) => ({ value: s.id, label: s.archived ? t('form.archived', { name: s.name }) : s.name }))}
          />
        </Field>
        <Field name="events" label={t('form.events')} rules={[{ type: 'array', required: true, min: 1, message: t('form.eventsNeeded') }]}>
          <Checkbox.Group options={EVENTS.map((e) => ({ value: e, label: words[e] }))} />
        </Field>
        <Field name="liveOnly" valuePropName="checked" extra={t('form.liveHint')}>
          <Checkbox>{t('form.live')}</Checkbox>
        </Field>
      </Form>
    </Dialog>
  )
}
