import { ArrowDown, ArrowUp, Trash2 } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import type { LandingBlock, LandingChoices } from '@/shared/api/types'
import { Button, Checkbox, Input, Select } from '@/shared/ui/kit'
import { moved } from '../blocks'
import { Labelled } from './Labelled'
import css from './pages.module.css'
import type { FaultOf } from './useFaults'

/** The ways to reach somebody that a purpose may use. */
type Reach = 'wecom' | 'official_account' | 'mini_program' | 'sms' | 'email' | 'phone' | 'in_app'

interface Props {
  block: LandingBlock
  onChange: (patch: Partial<LandingBlock>) => void
  choices: LandingChoices
  path: string
  faultOf: FaultOf
}

/** What the form asks, and to what it asks to agree. */
export function FormBlock({ block, onChange, choices, path, faultOf }: Props) {
  const { t } = useTranslation('pages')
  const fields = block.fields ?? []
  const consents = block.consents ?? []
  const free = choices.fields.filter((f) => !fields.some((x) => x.key === f.key))
  const unasked = choices.purposes.filter((p) => !consents.some((c) => c.purpose === p.id))
  const name = (key: string) => choices.fields.find((f) => f.key === key)?.name ?? key
  return (
    <>
      <div className={css.rows}>
        {fields.map((f, i) => {
          const set = (patch: Partial<typeof f>) => onChange({ fields: fields.map((x, k) => (k === i ? { ...x, ...patch } : x)) })
          return (
            <div key={f.key} className={css.row}>
              <b>{name(f.key)}</b>
              <Input value={f.label ?? ''} maxLength={60} placeholder={t('field.label')} aria-label={t('field.labelOf', { name: name(f.key) })} onChange={(e) => set({ label: e.target.value })} />
              <Checkbox checked={f.required ?? false} onChange={(e) => set({ required: e.target.checked })}>
                {t('field.required')}
              </Checkbox>
              <span className={css.tools}>
                <Button type="text" size="small" disabled={i === 0} icon={<ArrowUp size={14} aria-hidden />} aria-label={t('field.up', { name: name(f.key) })} onClick={() => onChange({ fields: moved(fields, i, -1) })} />
                <Button type="text" size="small" disabled={i === fields.length - 1} icon={<ArrowDown size={14} aria-hidden />} aria-label={t('field.down', { name: name(f.key) })} onClick={() => onChange({ fields: moved(fields, i, 1) })} />
                <Button type="text" size="small" icon={<Trash2 size={14} aria-hidden />} aria-label={t('field.remove', { name: name(f.key) })} onClick={() => onChange({ fields: fields.filter((x) => x.key !== f.key) })} />
              </span>
            </div>
          )
        })}
      </div>
      <Labelled label="" fault={faultOf(`${path}.fields`)} hint={t('field.hint')}>
        <Select<string> showSearch optionFilterProp="label" value={null as unknown as string} placeholder={t('field.add')} aria-label={t('field.add')} options={free.map((f) => ({ value: f.key, label: f.name }))} onChange={(key) => onChange({ fields: [...fields, { key }] })} />
      </Labelled>
      <h4 className={css.sub}>{t('consent.title')}</h4>
      <p className={css.hint}>{t('consent.desc')}</p>
      <div className={css.rows}>
        {consents.map((c, i) => {
          const p = choices.purposes.find((x) => x.id === c.purpose)
          const set = (patch: Partial<typeof c>) => onChange({ consents: consents.map((x, k) => (k === i ? { ...x, ...patch } : x)) })
          return (
            <div key={c.purpose} className={css.ask}>
              <div className="kp-row">
                <b className="kp-grow">{p?.name ?? c.purpose}</b>
                <Button type="text" size="small" icon={<Trash2 size={14} aria-hidden />} aria-label={t('consent.remove', { name: p?.name ?? c.purpose })} onClick={() => onChange({ consents: consents.filter((x) => x.purpose !== c.purpose) })} />
              </div>
              {p?.text && (
                <p className={css.hint}>
                  {p.text} · {t('consent.version', { n: p.version })}
                </p>
              )}
              {p && p.channels.length > 0 && (
                <Select<string[]>
                  mode="multiple"
                  allowClear
                  value={c.channels ?? []}
                  placeholder={t('consent.allChannels')}
                  aria-label={t('consent.channelsOf', { name: p.name })}
                  options={p.channels.map((x) => ({ value: x, label: t(`channel.${x as Reach}`) }))}
                  onChange={(channels) => set({ channels })}
                />
              )}
              <Checkbox checked={c.required ?? false} onChange={(e) => set({ required: e.target.checked })}>
                {t('consent.required')}
              </Checkbox>
            </div>
          )
        })}
      </div>
      {unasked.length > 0 && (
        <Labelled label="" fault={faultOf(`${path}.consents`)}>
          <Select<string> value={null as unknown as string} placeholder={t('consent.add')} aria-label={t('consent.add')} options={unasked.map((p) => ({ value: p.id, label: p.name }))} onChange={(purpose) => onChange({ consents: [...consents, { purpose }] })} />
        </Labelled>
      )}
      <Labelled label={t('field.button')} fault={faultOf(`${path}.button`)}>
        <Input value={block.button ?? ''} maxLength={40} placeholder={t('field.buttonHint')} aria-label={t('field.button')} onChange={(e) => onChange({ button: e.target.value })} />
      </Labelled>
    </>
  )
}
