import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { wholeList } from '@/shared/api/cursor'
import type { ConsentPurpose } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { Chip } from '@/shared/ui/chips'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { Drawer } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Field, Form } from '@/shared/ui/Form'
import { Button, Checkbox, Input, Select } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { DateTime } from '@/shared/ui/values'
import { addWording, CHANNELS, CONSENT_KEY, createPurpose, purposesQuery, updatePurpose } from '../queries'
import { useText } from '../words'
import css from './ConsentPanel.module.css'

/** What data is used for, and the wordings that people are shown. */
export function Purposes() {
  const { t } = useTranslation('consent')
  const may = useCan('settings.write')
  const say = useText()
  const query = useQuery(purposesQuery())
  const [open, setOpen] = useState<string>()
  const columns: Column<ConsentPurpose>[] = [
    {
      key: 'name',
      title: t('totals.purpose'),
      render: (p) => (
        <span>
          <b className="kp-strong">{say(p.name)}</b> {p.archived && <Chip>{t('purpose.archived')}</Chip>}
          <br />
          <small className="kp-muted">{say(p.description)}</small>
        </span>
      ),
    },
    { key: 'basis', title: t('purpose.basis'), render: (p) => t(`basis.${p.basis}`) },
    { key: 'default', title: t('purpose.default'), render: (p) => (p.default ? t('purpose.yes') : t('purpose.no')) },
    { key: 'channels', title: t('change.channels'), render: (p) => (p.channels.length ? CHANNELS.filter((c) => p.channels.includes(c)).map((c) => t(`channel.${c}`)).join('、') : t('channel.use')) },
    { key: 'separate', title: t('purpose.separate'), render: (p) => (p.separate ? t('purpose.yes') : '') },
    { key: 'wording', title: t('purpose.current'), align: 'right', render: (p) => <span className="kp-num">v{p.current}</span> },
  ]
  const add = may && (
    <Button type="primary" icon={<Plus size={15} aria-hidden />} onClick={() => setOpen('')}>
      {t('purpose.new')}
    </Button>
  )
  return (
    <Panel flush title={t('purpose.title')} desc={t('purpose.desc')} extra={add}>
      <DataTable label={t('purpose.title')} list={wholeList(query)} columns={columns} rowKey={(p) => p.id} onOpen={(p) => setOpen(p.id)} empty={<Empty title={t('purpose.title')} action={add} />} />
      <PurposeDrawer purpose={query.data?.items.find((p) => p.id === open)} open={open !== undefined} onClose={() => setOpen(undefined)} />
    </Panel>
  )
}

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

function PurposeDrawer({ purpose, open, onClose }: { purpose: ConsentPurpose | undefined; open: boolean; onClose: () => void }) {
  const { t } = useTranslation(['consent', 'common'])
  const may = useCan('settings.write')
  const client = useQueryClient()
  const toast = useToast()
  const say = useText()
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
    <Drawer open={open} onClose={onClose} title={purpose ? say(purpose.name) : t('purpose.new')} width={620}>
      <Form<Values> key={purpose?.id ?? ''} disabled={!may} initial={purpose ? ({ ...purpose } as Partial<Values>) : { channels: ['sms'], selfGrant: true, separate: false }} submit={t('common:action.save')} onSubmit={save}>
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
      {purpose && <Wordings purpose={purpose} onSaved={saved} />}
    </Drawer>
  )
}

/** Every version that people were or will be shown, and the next one. */
function Wordings({ purpose, onSaved }: { purpose: ConsentPurpose; onSaved: () => Promise<void> }) {
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
          onSubmit={async (v) => {
            await addWording(purpose.id, v)
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
