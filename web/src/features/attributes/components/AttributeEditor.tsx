import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { AttributeDef, AttributeInput as Definition, TriedValue } from '@/shared/api/types'
import { attributeName, ATTRIBUTES_KEY } from '@/shared/lib/attributes'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { AttributeInput } from '@/shared/ui/AttributeInput'
import { Chip } from '@/shared/ui/chips'
import { Drawer } from '@/shared/ui/Drawer'
import { useConfirm, useToast } from '@/shared/ui/feedback'
import { Field, Form, useForm, useWatch } from '@/shared/ui/Form'
import { Button, Checkbox, Input, Select } from '@/shared/ui/kit'
import { QueryState } from '@/shared/ui/states'
import { Uses } from '@/shared/ui/Uses'
import { Count } from '@/shared/ui/values'
import { createAttribute, tryValue, updateAttribute, usesQuery, violationsQuery } from '../queries'
import { optionsOf } from '../rows'
import { TYPES } from '../types'

interface Values {
  key: string
  nameZh: string
  nameEn?: string
  description?: string
  type: Definition['type']
  choices?: string
  unit?: string
  decimals?: string
  currency?: string
  min?: string
  max?: string
  pattern?: string
  maxLength?: string
  group?: string
  personal: NonNullable<Definition['personal']>
  required?: boolean
  unique?: boolean
  indexed?: boolean
}

interface Props {
  attribute: AttributeDef | 'new' | undefined
  onClose: () => void
  onRetype: (a: AttributeDef) => void
  onMerge: (a: AttributeDef) => void
  onOptions: (a: AttributeDef) => void
}

/** The drawer in which an attribute is defined and changed. */
export function AttributeEditor({ attribute, onClose, ...on }: Props) {
  const { t } = useTranslation('attributes')
  const { lang } = usePrefs()
  const old = attribute === 'new' ? undefined : attribute
  return (
    <Drawer open={attribute !== undefined} onClose={onClose} title={old ? attributeName(old, lang) : t('add')} width={520}>
      {attribute !== undefined && <Editor key={old?.key ?? ''} old={old} onClose={onClose} {...on} />}
    </Drawer>
  )
}

const number = (s: string | undefined) => (s?.trim() ? Number(s) : undefined)

/** The definition that the form's values make. */
function definitionOf(v: Values, old: AttributeDef | undefined): Definition {
  return {
    key: v.key?.trim() ?? '',
    nameZh: v.nameZh?.trim() ?? '',
    nameEn: v.nameEn?.trim() ?? '',
    description: v.description?.trim() ?? '',
    type: v.type,
    options: v.type === 'enum' || v.type === 'multi' ? optionsOf(v.choices ?? '', old?.options) : undefined,
    unit: v.unit?.trim() ?? '',
    decimals: number(v.decimals) ?? 0,
    currency: v.type === 'money' ? v.currency?.trim() || 'CNY' : undefined,
    min: number(v.min),
    max: number(v.max),
    pattern: v.pattern ?? '',
    maxLength: number(v.maxLength) ?? 0,
    group: v.group?.trim() ?? '',
    personal: v.personal,
    required: v.required ?? false,
    unique: v.unique ?? false,
    indexed: v.indexed ?? false,
  }
}

function Editor({ old, onClose, onRetype, onMerge, onOptions }: { old: AttributeDef | undefined } & Omit<Props, 'attribute'>) {
  const { t } = useTranslation('attributes')
  const may = useCan('attribute.write')
  const client = useQueryClient()
  const toast = useToast()
  const ask = useConfirm()
  const [form] = useForm<Values>()
  const watched = useWatch([], form) as Values | undefined
  const type = watched?.type ?? old?.type ?? 'text'
  const refresh = () => client.invalidateQueries({ queryKey: ATTRIBUTES_KEY })
  const save = async (v: Values) => {
    const d = definitionOf(v, old)
    if (old) {
      const { nameZh, nameEn, description, options, unit, decimals, min, max, pattern, maxLength, group, personal, required, unique, indexed } = d
      const now = { nameZh, nameEn, description, options, unit, decimals, min, max, pattern, maxLength, group, personal, required, unique, indexed }
      await updateAttribute(old.key, { ...now, noMin: min === undefined, noMax: max === undefined })
    } else await createAttribute(d)
    void refresh()
    toast.done(t('saved', { name: d.nameZh || d.key }))
    onClose()
  }
  const archive = async (archived: boolean) => {
    if (!old) return
    const run = async () => {
      try {
        await updateAttribute(old.key, { archived })
        void refresh()
        onClose()
      } catch (error) {
        toast.failed(error)
      }
    }
    if (!archived) return run()
    try {
      const uses = await client.fetchQuery(usesQuery(old.key))
      const body = (
        <>
          {t('archive.body')}
          {uses.length > 0 && (
            <div style={{ marginTop: 8 }}>
              {t('uses.archived')}
              <Uses items={uses} plain />
            </div>
          )}
        </>
      )
      await ask({ title: t('archive.title', { name: old.nameZh || old.key }), body, ok: t('archive.ok'), danger: true, run })
    } catch (error) {
      toast.failed(error)
    }
  }
  const initial: Partial<Values> = old
    ? {
        ...old,
        choices: old.options?.map((o) => o.label).join('\n'),
        decimals: old.decimals ? String(old.decimals) : '',
        min: old.min === undefined ? '' : String(old.min),
        max: old.max === undefined ? '' : String(old.max),
        maxLength: old.maxLength ? String(old.maxLength) : '',
        personal: old.personal ?? 'none',
      }
    : { type: 'text', personal: 'none', indexed: true }
  return (
    <>
      <Form<Values>
        form={form}
        initial={initial}
        submit={t('save')}
        onSubmit={save}
        disabled={!may || old?.settling}
        extra={
          old &&
          may && (
            <>
              <Button onClick={() => onRetype(old)} disabled={old.settling || old.archived}>
                {t('retype.open')}
              </Button>
              {(old.options?.length ?? 0) > 0 && (
                <Button onClick={() => onOptions(old)} disabled={old.settling || old.archived}>
                  {t('options.open')}
                </Button>
              )}
              <Button onClick={() => onMerge(old)} disabled={old.settling || old.archived}>
                {t('merge.open')}
              </Button>
              <Button danger={!old.archived} onClick={() => void archive(!old.archived)}>
                {old.archived ? t('archive.restore') : t('archive.ok')}
              </Button>
            </>
          )
        }
      >
        {!old && (
          <Field name="key" label={t('field.key')} extra={t('field.keyHint')} rules={[{ required: true, message: t('field.needed') }]}>
            <Input maxLength={64} autoComplete="off" />
          </Field>
        )}
        <Field name="nameZh" label={t('field.nameZh')} rules={[{ required: true, whitespace: true, message: t('field.needed') }]}>
          <Input maxLength={60} autoComplete="off" />
        </Field>
        <Field name="nameEn" label={t('field.nameEn')}>
          <Input maxLength={60} autoComplete="off" />
        </Field>
        <Field name="type" label={t('field.type')}>
          <Select disabled={Boolean(old)} options={TYPES.map((x) => ({ value: x, label: t(`type.${x}`) }))} />
        </Field>
        {(type === 'enum' || type === 'multi') && (
          <Field name="choices" label={t('field.options')} extra={t('field.optionsHint')} rules={[{ required: true, message: t('field.needed') }]}>
            <Input.TextArea rows={5} />
          </Field>
        )}
        {type === 'number' && (
          <>
            <Field name="unit" label={t('field.unit')}>
              <Input maxLength={20} />
            </Field>
            <Field name="decimals" label={t('field.decimals')}>
              <Input type="number" min={0} max={4} />
            </Field>
          </>
        )}
        {type === 'money' && !old && (
          <Field name="currency" label={t('field.currency')}>
            <Input maxLength={3} />
          </Field>
        )}
        {(type === 'number' || type === 'money') && (
          <>
            <Field name="min" label={t('field.min')}>
              <Input type="number" step="any" />
            </Field>
            <Field name="max" label={t('field.max')}>
              <Input type="number" step="any" />
            </Field>
          </>
        )}
        {type === 'text' && (
          <>
            <Field name="maxLength" label={t('field.maxLength')}>
              <Input type="number" min={0} max={500} />
            </Field>
            <Field name="pattern" label={t('field.pattern')} extra={t('field.patternHint')}>
              <Input maxLength={200} />
            </Field>
          </>
        )}
        <Field name="group" label={t('field.group')}>
          <Input maxLength={40} />
        </Field>
        <Field name="description" label={t('field.description')}>
          <Input.TextArea rows={2} maxLength={500} />
        </Field>
        <Field name="personal" label={t('field.personal')} extra={t('field.personalHint')}>
          <Select options={(['none', 'personal', 'sensitive'] as const).map((c) => ({ value: c, label: t(`class.${c}`) }))} />
        </Field>
        <Field name="required" valuePropName="checked" noStyle>
          <Checkbox>{t('required')}</Checkbox>
        </Field>
        <Field name="unique" valuePropName="checked" noStyle>
          <Checkbox disabled={['flag', 'enum', 'multi', 'region'].includes(type)}>{t('unique')}</Checkbox>
        </Field>
        <Field name="indexed" valuePropName="checked" noStyle>
          <Checkbox>{t('indexed')}</Checkbox>
        </Field>
        {watched && <TryOut definition={definitionOf({ ...watched, type }, old)} />}
      </Form>
      {old && <Used attributeKey={old.key} />}
      {old && <Refused attributeKey={old.key} />}
    </>
  )
}

/** How the input looks, and what is made of a loosely written value. */
function TryOut({ definition }: { definition: Definition }) {
  const { t } = useTranslation('attributes')
  const toast = useToast()
  const [text, setText] = useState('')
  const [got, setGot] = useState<TriedValue>()
  const preview = { ...definition, options: definition.options?.map((o) => ({ ...o, id: o.id || o.label })) }
  return (
    <section style={{ marginBlock: 16 }}>
      <h4>{t('try.title')}</h4>
      <AttributeInput of={preview} aria-label={t('try.input')} />
      <div className="kp-row" style={{ marginTop: 8 }}>
        <Input value={text} onChange={(e) => setText(e.target.value)} placeholder={t('try.example')} aria-label={t('try.example')} />
        <Button
          onClick={() =>
            void tryValue(definition, text)
              .then(setGot)
              .catch((e: unknown) => toast.failed(e))
          }
        >
          {t('try.go')}
        </Button>
      </div>
      {got && (
        <p role="status">
          <Chip tone={got.ok ? 'good' : 'bad'}>{got.ok ? got.text || t('try.nothing') : got.reason}</Chip>
        </p>
      )}
    </section>
  )
}

/** Where the attribute is used: what a change of it concerns. */
function Used({ attributeKey }: { attributeKey: string }) {
  const { t } = useTranslation('attributes')
  const query = useQuery(usesQuery(attributeKey))
  return (
    <section style={{ marginTop: 24 }}>
      <h4>{t('uses.title')}</h4>
      <QueryState query={query}>{(items) => <Uses items={items} />}</QueryState>
    </section>
  )
}

function Refused({ attributeKey }: { attributeKey: string }) {
  const { t } = useTranslation('attributes')
  const items = useQuery(violationsQuery(attributeKey)).data?.items ?? []
  if (items.length === 0) return null
  return (
    <section style={{ marginTop: 24 }}>
      <h4>{t('refused.title')}</h4>
      <p className="kp-muted">{t('refused.desc')}</p>
      <ul>
        {items.map((v) => (
          <li key={v.reason + v.source}>
            <Count value={v.count} /> · {v.source} · {v.detail}{' '}
            {v.samples.map((s) => (
              <Chip key={s}>{s}</Chip>
            ))}
          </li>
        ))}
      </ul>
    </section>
  )
}
