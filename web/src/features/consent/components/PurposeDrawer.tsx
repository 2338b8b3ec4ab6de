import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { ConsentDraft, ConsentPurpose } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { Chip } from '@/shared/ui/chips'
import { Drawer } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Field, Form } from '@/shared/ui/Form'
import { Checkbox, Input, Select } from '@/shared/ui/kit'
import { DateTime } from '@/shared/ui/values'
import { addWording, CHANNELS, CONSENT_KEY, createPurpose, updatePurpose } from '../queries'
import { useText } from '../words'
import css from './ConsentPanel.module.css'
import { PagePreview } from './PagePreview'

interface Values {
  id: string
  name: { zh: string; en: string }
  description: { zh: string; en: string }
  channels: (typeof CHANNELS)[number][]
  separate: boolean
  selfGrant: boolean
  archived: boolean
  wording: { zh: string; en: string }
}

/** The editor of one purpose, with the page that customers will see beside it. */
export function PurposeDrawer({ purpose, open, onClose }: { purpose: ConsentPurpose | undefined; open: boolean; onClose: () => void }) {
  const { t } = useTranslation('consent')
  const say = useText()
  return (
    <Drawer open={open} onClose={onClose} title={purpose ? say(purpose.name) : t('purpose.new')} width={1060}>
      <Editor key={purpose?.id ?? ''} purpose={purpose} onClose={onClose} />
    </Drawer>
  )
}

function Editor({ purpose, onClose }: { purpose: ConsentPurpose | undefined; onClose: () => void }) {
  const { t } = useTranslation(['consent', 'common'])
  const may = useCan('settings.write')
  const client = useQueryClient()
  const toast = useToast()
  const [typed, setTyped] = useState<Partial<Values>>({})
  const [next, setNext] = useState<Values['wording']>()
  const { id, wording, ...rest } = typed
  const draft: ConsentDraft = { ...rest, id: purpose?.id ?? id, wording: purpose ? next : wording }
  const saved = async () => {
    toast.done(t('purpose.saved'))
    await client.invalidateQueries({ queryKey: CONSENT_KEY })
  }
  const save = async ({ id, wording, archived, ...v }: Values) => {
    if (purpose) await updatePurpose(purpose.id, { ...v, archived })
    else await createPurpose({ ...v, id, wording })
    await saved()
    onClose()
  }
  const both = (name: string, label: string, max: number, needed: boolean, area = false) =>
    (['zh', 'en'] as const).map((l) => (
      <Field key={l} name={[name, l]} label={`${label} · ${t(`purpose.${l}`)}`} rules={needed ? [{ required: true, whitespace: true, message: t('purpose.needed') }] : []}>
        {area ? <Input.TextArea autoSize={{ minRows: 2, maxRows: 8 }} maxLength={max} /> : <Input maxLength={max} />}
      </Field>
    ))
  return (
    <div className={css.editor}>
      <div>
      <Form<Values> onChange={setTyped} disabled={!may} initial={purpose ? ({ ...purpose } as Partial<Values>) : { channels: ['sms'], selfGrant: true, separate: false }} submit={t('common:action.save')} onSubmit={save}>
        {!purpose && (
          <Field name="id" label={t('purpose.id')} extra={t('purpose.idHint')} rules={[{ required: true, pattern: /^[a-z][a-z0-9_]{1,39}$/, message: t('purpose.idHint') }]}>
            <Input maxLength={40} />
          </Field>
        )}
        {both('name', t('purpose.name'), 60, true)}
        {both('description', t('purpose.description'), 400, false)}
        <Field name="channels" label={t('change.channels')} extra={t('purpose.channelsHint')}>
          <Select mode="multiple" options={CHANNELS.map((c) => ({ value: c, label: t(`channel.${c}`) }))} />
        </Field>
        <Field name="separate" valuePropName="checked" noStyle>
          <Checkbox>{t('purpose.separateLabel')}</Checkbox>
        </Field>
        <Field name="selfGrant" valuePropName="checked" noStyle>
          <Checkbox>{t('purpose.selfGrant')}</Checkbox>
        </Field>
        {purpose ? (
          <Field name="archived" valuePropName="checked">
            <Checkbox>{t('purpose.archive')}</Checkbox>
          </Field>
        ) : (
          both('wording', t('purpose.wording'), 4000, true, true)
        )}
      </Form>
      {purpose && <Wordings purpose={purpose} onSaved={saved} onChange={setNext} />}
      </div>
      <PagePreview draft={draft} />
    </div>
  )
}

/** Every version that people were or will be shown, and the next one. */
function Wordings({ purpose, onSaved, onChange }: { purpose: ConsentPurpose; onSaved: () => Promise<void>; onChange: (next: Values['wording'] | undefined) => void }) {
  const { t } = useTranslation('consent')
  const may = useCan('settings.write')
  return (
    <>
      <h3>{t('purpose.wordings')}</h3>
      <ol className={css.rows}>
        {purpose.wordings.map((w) => (
          <li key={w.version}>
            <span className="kp-row">
              <b>v{w.version}</b> {w.version === purpose.current && <Chip tone="good">{t('purpose.shown')}</Chip>}
              {Date.parse(w.effectiveAt) > 0 && <DateTime at={w.effectiveAt} />}
              {w.by}
            </span>
            <p className={css.wording}>{w.text.zh}</p>
            <p className={css.wording}>{w.text.en}</p>
          </li>
        ))}
      </ol>
      {may && (
        <Form<{ text: { zh: string; en: string } }>
          key={purpose.wordings.length}
          submit={t('purpose.publish')}
          onChange={(v) => onChange(v.text && { zh: v.text.zh ?? '', en: v.text.en ?? '' })}
          onSubmit={async (v) => {
            await addWording(purpose.id, v)
            onChange(undefined)
            await onSaved()
          }}
        >
          {(['zh', 'en'] as const).map((l) => (
            <Field key={l} name={['text', l]} label={`${t('purpose.next')} · ${t(`purpose.${l}`)}`} rules={[{ required: true, whitespace: true, message: t('purpose.needed') }]}>
              <Input.TextArea autoSize={{ minRows: 2, maxRows: 8 }} maxLength={4000} />
            </Field>
          ))}
        </Form>
      )}
    </>
  )
}
