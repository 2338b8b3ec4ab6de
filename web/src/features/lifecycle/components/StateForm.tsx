import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import type { MachineState, Rule } from '@/shared/api/types'
import { useRuleDraft } from '@/shared/rules/draft'
import { LazyRuleEditor } from '@/shared/rules/LazyRuleEditor'
import { Alert, Input, Select } from '@/shared/ui/kit'
import type { MachineName } from '../machine'
import css from './lifecycle.module.css'

interface Props {
  machine: MachineName
  state: MachineState
  others: MachineState[]
  name: (s: MachineState) => string
  onChange: (patch: Partial<MachineState>) => void
}

/** One state: how it is called, who belongs to it, from where it is entered and how long one stays. */
export function StateForm({ machine, state, others, name, onChange }: Props) {
  const { t } = useTranslation('lifecycle')
  const rest = !state.rule && !others.some((s) => !s.rule)
  const words = (part: 'name' | 'note' | 'carriers', lang: 'zh' | 'en', limit: number, rows?: number) => {
    const value = state[part]?.[lang] ?? ''
    const put = (text: string) => onChange({ [part]: { ...state[part], [lang]: text } })
    return (
      <label>
        <span>{t(`form.${part}.${lang}`)}</span>
        {rows ? <Input.TextArea value={value} maxLength={limit} rows={rows} onChange={(e) => put(e.target.value)} /> : <Input value={value} maxLength={limit} onChange={(e) => put(e.target.value)} />}
      </label>
    )
  }
  return (
    <div className={css.form}>
      <div className={css.two}>
        {words('name', 'zh', 30)}
        {words('name', 'en', 30)}
        {words('note', 'zh', 200)}
        {words('note', 'en', 200)}
        {machine === 'pools' && words('carriers', 'zh', 200, 2)}
        {machine === 'pools' && words('carriers', 'en', 200, 2)}
        <label>
          <span>{t('form.color')}</span>
          <Input type="color" value={state.color} style={{ width: 72 }} onChange={(e) => onChange({ color: e.target.value })} />
        </label>
        <label>
          <span>{t('form.stay')}</span>
          <Input type="number" min={0} max={3650} value={state.stay ?? 0} style={{ width: 120 }} suffix={t('form.days')} onChange={(e) => onChange({ stay: Math.max(0, Math.round(Number(e.target.value) || 0)) })} />
        </label>
      </div>
      {rest ? (
        <Alert type="info" showIcon title={t('form.rest')} />
      ) : (
        <>
          <label>
            <span>{t('form.from')}</span>
            <Select
              mode="multiple"
              allowClear
              value={state.from ?? []}
              placeholder={t('form.fromAll')}
              onChange={(from: string[]) => onChange({ from })}
              options={[state, ...others].map((s) => ({ value: s.id, label: name(s) }))}
            />
          </label>
          <div>
            <p className="kp-muted">{t('form.rule')}</p>
            <RulePart rule={state.rule} onChange={(rule) => onChange({ rule })} />
          </div>
        </>
      )}
    </div>
  )
}

/** The rule of a state in the builder. */
function RulePart({ rule, onChange }: { rule: Rule | undefined; onChange: (rule: Rule | undefined) => void }) {
  const draft = useRuleDraft(rule)
  const text = JSON.stringify(draft.rule ?? null)
  const told = useRef(text)
  const tell = useRef(onChange)
  useEffect(() => {
    tell.current = onChange
  })
  useEffect(() => {
    if (told.current === text) return
    told.current = text
    tell.current((JSON.parse(text) as Rule | null) ?? undefined)
  }, [text])
  return <LazyRuleEditor draft={draft} />
}
