import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import type { Channel, ChannelInput } from '@/shared/api/types'
import { channelsQuery } from '@/shared/lib/channels'
import { usePrefs } from '@/shared/lib/prefs'
import { Drawer } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Field, Form } from '@/shared/ui/Form'
import { Alert, Input, Select, Switch } from '@/shared/ui/kit'
import { QueryState } from '@/shared/ui/states'
import { changeChannel, createChannel, ownersQuery } from '../queries'

/** Which channel is edited; none: a new one. */
export interface Editing {
  id?: string
}

/** Makes a channel, renames, moves or archives one. */
export function ChannelDrawer({ editing, onClose }: { editing: Editing; onClose: () => void }) {
  const { t } = useTranslation('channels')
  const { lang } = usePrefs()
  const tree = useQuery(channelsQuery(lang))
  return (
    <Drawer open onClose={onClose} title={editing.id ? t('channel.edit') : t('channel.new')} width={480}>
      <QueryState query={tree}>{(data) => <Editor all={data.items} channel={data.items.find((c) => c.id === editing.id)} onClose={onClose} />}</QueryState>
    </Drawer>
  )
}

function Editor({ all, channel, onClose }: { all: Channel[]; channel?: Channel; onClose: () => void }) {
  const { t } = useTranslation(['channels', 'common'])
  const client = useQueryClient()
  const toast = useToast()
  const owners = useQuery(ownersQuery())
  const path = channel?.path.join(' / ')
  // A channel cannot stand below itself; archived ones and the two that stay where they are take nothing below them.
  const parents = all.filter((c) => !c.archived && !c.anchored && !(path && (c.path.join(' / ') + ' / ').startsWith(path + ' / ')))
  const save = async (v: Partial<ChannelInput>) => {
    const body: ChannelInput = { name: v.name ?? '', parent: v.parent ?? '', owner: v.owner ?? '', archived: v.archived ?? false }
    await (channel ? changeChannel(channel.id, body) : createChannel(body))
    await client.invalidateQueries({ queryKey: ['channels'] })
    toast.done(t('channel.saved'))
    onClose()
  }
  return (
    <Form<Partial<ChannelInput>>
      submit={t('common:action.save')}
      initial={{ name: channel?.ownName ?? '', parent: channel?.parent, owner: channel?.owner?.id, archived: channel?.archived ?? false }}
      onSubmit={save}
    >
      <Field name="name" required label={t('channel.name')} extra={channel && !channel.id.startsWith('ch_') ? t('channel.ownName', { name: channel.name }) : undefined}>
        <Input maxLength={60} autoComplete="off" />
      </Field>
      {!channel?.anchored && (
        <Field name="parent" label={t('channel.parent')}>
          <Select allowClear showSearch optionFilterProp="label" placeholder={t('channel.top')} options={parents.map((c) => ({ value: c.id, label: c.path.join(' / ') }))} />
        </Field>
      )}
      <Field name="owner" label={t('channel.owner')}>
        <Select allowClear showSearch optionFilterProp="label" placeholder={t('channel.nobody')} options={(owners.data?.items ?? []).map((o) => ({ value: o.id, label: o.name }))} />
      </Field>
      {channel && !channel.anchored && (
        <Field name="archived" label={t('channel.archived')} valuePropName="checked" extra={t('channel.archivedHint')}>
          <Switch />
        </Field>
      )}
      {channel?.anchored && <Alert type="info" title={t('channel.anchored')} />}
    </Form>
  )
}
