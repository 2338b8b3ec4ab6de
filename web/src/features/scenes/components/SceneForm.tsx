import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { idempotencyKey } from '@/shared/api/client'
import type { SceneCode, SceneCodeInput } from '@/shared/api/types'
import { useChannelOptions } from '@/shared/lib/channels'
import { tagsQuery } from '@/shared/rules/queries'
import { Drawer } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Field, Form } from '@/shared/ui/Form'
import { Checkbox, Input, Select } from '@/shared/ui/kit'
import { answersQuery, createCode, SCENES_KEY, updateCode } from '../queries'

const ENVS = ['release', 'trial', 'develop'] as const
/** How a page of a mini-program is written, as an example. */
const PAGE = 'pages/shop/index'

interface Props {
  accounts: readonly { id: string; name: string; kind: 'official' | 'mini' }[]
  code?: SceneCode
  onClose: () => void
  onMade: (id: string) => void
}

/** Makes a scene code or changes one; what is printed stays. */
export function SceneForm({ accounts, code, onClose, onMade }: Props) {
  const { t } = useTranslation(['scenes', 'common'])
  const client = useQueryClient()
  const toast = useToast()
  const channels = useChannelOptions()
  const tags = useQuery(tagsQuery())
  const [account, setAccount] = useState(code?.account ?? accounts[0]?.id ?? '')
  const [key, setKey] = useState(idempotencyKey)
  const mini = accounts.find((a) => a.id === account)?.kind === 'mini'
  const answers = useQuery(answersQuery(mini ? '' : account))
  const choices = (answers.data ?? []).map((r) => ({ value: r.id, label: r.name }))
  const save = async (v: SceneCodeInput) => {
    const body: SceneCodeInput = { ...v, channel: v.channel ?? '', reply: v.reply ?? '', hook: v.hook ?? '', tags: v.tags ?? [], days: Number(v.days) || 0 }
    // What only the other kind has is left out: the account may have been chosen after it was filled in.
    Object.assign(body, mini ? { reply: '', hook: '', days: 0, page: v.page ?? '', gift: v.gift ?? '' } : { page: '', gift: '', env: undefined, unchecked: undefined })
    try {
      const saved = await (code ? updateCode(code.id, body) : createCode(body, key))
      await client.invalidateQueries({ queryKey: SCENES_KEY })
      toast.done(t('form.saved'))
      onClose()
      if (!code) onMade(saved.id)
    } catch (error) {
      setKey(idempotencyKey()) // what was refused may be sent again, changed
      throw error
    }
  }
  const initial: Partial<SceneCodeInput> = code
    ? { account: code.account, name: code.name, place: code.place, channel: code.channel || undefined, tags: code.tags ?? [], reply: code.reply || undefined, hook: code.hook || undefined, days: code.days ?? 0, page: code.page, env: code.env ?? 'release', unchecked: code.unchecked, gift: code.gift }
    : { account, days: 0, tags: [], env: 'release' }
  return (
    <Drawer open onClose={onClose} title={code ? t('form.edit') : t('form.new')}>
      <Form<SceneCodeInput> submit={t('common:action.save')} initial={initial} onSubmit={save} onChange={(v) => v.account && setAccount(v.account)}>
        <Field name="name" label={t('form.name')} required>
          <Input maxLength={40} autoComplete="off" placeholder={t('form.nameHint')} />
        </Field>
        <Field name="account" label={t('form.account')} required hidden={accounts.length < 2}>
          <Select disabled={code !== undefined} options={accounts.map((a) => ({ value: a.id, label: t('form.accountOf', { name: a.name, kind: t(`kind.${a.kind}`) }) }))} />
        </Field>
        <Field name="place" label={t('form.place')}>
          <Input maxLength={60} autoComplete="off" placeholder={t('form.placeHint')} />
        </Field>
        <Field name="channel" label={t('form.channel')} extra={t('form.channelHint')}>
          <Select allowClear showSearch={{ optionFilterProp: 'label' }} options={channels.filter((c) => c.value !== 'unknown')} />
        </Field>
        <Field name="tags" label={t('form.tags')}>
          <Select mode="multiple" showSearch={{ optionFilterProp: 'label' }} options={(tags.data?.groups ?? []).map((g) => ({ label: g.name, title: g.name, options: (g.tags ?? []).map((x) => ({ value: x.id, label: x.name })) }))} />
        </Field>
        {mini ? (
          <>
            <Field name="page" label={t('form.page')} extra={t('form.pageHint')}>
              <Input maxLength={1024} autoComplete="off" placeholder={PAGE} disabled={code?.ready} />
            </Field>
            <Field name="env" label={t('form.env')} extra={t('form.envHint')}>
              <Select disabled={code?.ready} options={ENVS.map((e) => ({ value: e, label: t(`env.${e}`) }))} />
            </Field>
            <Field name="unchecked" valuePropName="checked" extra={t('form.uncheckedHint')}>
              <Checkbox disabled={code?.ready}>{t('form.unchecked')}</Checkbox>
            </Field>
            <Field name="gift" label={t('form.gift')} extra={t('form.giftHint')}>
              <Input maxLength={200} autoComplete="off" placeholder={t('form.giftExample')} />
            </Field>
          </>
        ) : (
          <>
            <Field name="reply" label={t('form.reply')} extra={t('form.replyHint')}>
              <Select allowClear showSearch={{ optionFilterProp: 'label' }} options={choices} />
            </Field>
            <Field name="hook" label={t('form.hook')} extra={t('form.hookHint')}>
              <Select allowClear showSearch={{ optionFilterProp: 'label' }} options={choices} />
            </Field>
            <Field name="days" label={t('form.days')} extra={t('form.daysHint')}>
              <Input type="number" min={0} max={30} disabled={code !== undefined} />
            </Field>
          </>
        )}
      </Form>
    </Drawer>
  )
}
