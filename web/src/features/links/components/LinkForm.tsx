import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import type { LinkInput, ShortLink } from '@/shared/api/types'
import { useChannelOptions } from '@/shared/lib/channels'
import { useTimezone } from '@/shared/lib/session'
import { addDays, dayOf, dayStart } from '@/shared/lib/time'
import { useUrlText } from '@/shared/lib/url'
import { Drawer } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Field, Form } from '@/shared/ui/Form'
import { Input, Select, Switch } from '@/shared/ui/kit'
import { changeLink, createLink, ownersQuery } from '../queries'
import css from './links.module.css'

interface Values extends Omit<LinkInput, 'expiresAt'> {
  /** The last day on which it works. */
  lastDay?: string
}

const UTM = ['source', 'medium', 'campaign', 'content'] as const

/** Makes a link or changes one. */
export function LinkForm({ link, onClose }: { link?: ShortLink; onClose: () => void }) {
  const { t } = useTranslation(['links', 'common'])
  const client = useQueryClient()
  const toast = useToast()
  const zone = useTimezone()
  const channels = useChannelOptions()
  const owners = useQuery(ownersQuery())
  const [, setOpen] = useUrlText('link')
  const save = async ({ lastDay, ...v }: Values) => {
    const body: LinkInput = { ...v, channel: v.channel ?? '', owner: v.owner ?? '', expiresAt: lastDay ? dayStart(addDays(lastDay, 1), zone).toISOString() : undefined }
    const saved = await (link ? changeLink(link.code, body) : createLink(body))
    await client.invalidateQueries({ queryKey: ['links'] })
    toast.done(t('form.saved'))
    onClose()
    if (!link) setOpen(saved.code)
  }
  const initial: Partial<Values> = link
    ? {
        title: link.title,
        target: link.target,
        channel: link.channel || undefined,
        source: link.source,
        medium: link.medium,
        campaign: link.campaign,
        content: link.content,
        owner: link.owner?.id,
        notify: link.notify ?? false,
        carry: link.carry ?? false,
        paused: link.paused ?? false,
        lastDay: link.expiresAt ? dayOf(Date.parse(link.expiresAt) - 1, zone) : undefined,
      }
    : { notify: false, carry: false, paused: false }
  return (
    <Drawer open onClose={onClose} title={link ? t('form.edit') : t('form.new')}>
      <Form<Values> submit={t('common:action.save')} initial={initial} onSubmit={save}>
        <Field name="title" label={t('form.title')} required>
          <Input maxLength={80} autoComplete="off" placeholder={t('form.titleHint')} />
        </Field>
        <Field name="target" label={t('form.target')} required extra={t('form.targetHint')}>
          <Input maxLength={2000} autoComplete="off" inputMode="url" />
        </Field>
        <Field name="channel" label={t('list.channel')} extra={t('form.channelHint')}>
          <Select allowClear showSearch optionFilterProp="label" options={channels} />
        </Field>
        <div className={css.two}>
          {UTM.map((f) => (
            <Field key={f} name={f} label={t(`form.${f}`)}>
              <Input maxLength={100} autoComplete="off" />
            </Field>
          ))}
          <Field name="owner" label={t('form.owner')}>
            <Select allowClear showSearch optionFilterProp="label" options={(owners.data?.items ?? []).map((o) => ({ value: o.id, label: o.name }))} />
          </Field>
          <Field name="lastDay" label={t('form.lastDay')}>
            <Input type="date" />
          </Field>
        </div>
        <Field name="notify" label={t('form.notify')} required valuePropName="checked" extra={t('form.notifyHint')}>
          <Switch />
        </Field>
        <Field name="carry" label={t('form.carry')} required valuePropName="checked" extra={t('form.carryHint')}>
          <Switch />
        </Field>
        <Field name="paused" label={t('form.paused')} required valuePropName="checked">
          <Switch />
        </Field>
      </Form>
    </Drawer>
  )
}
