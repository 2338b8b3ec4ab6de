import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { AutoComplete, Input, Select } from '@/shared/ui/kit'
import { takesNumber } from './behaviour'
import { shapeOf, withOp, type Op } from './rule'
import css from './Rules.module.css'

interface Comparison {
  op?: string
  value?: unknown
}

interface Props<T extends Comparison> {
  of: T
  ops: readonly string[]
  /** What is compared, when it is known. */
  type?: string
  /** Values that occur, as suggestions. */
  samples?: readonly string[]
  onChange: (next: T) => void
}

const number = (text: string): number | '' => (text.trim() === '' || Number.isNaN(Number(text)) ? '' : Number(text))

/** How a property or a measure compares, and with what. */
export function Compare<T extends Comparison>({ of, ops, type, samples = [], onChange }: Props<T>) {
  const { t } = useTranslation('rules')
  return (
    <span className={css.bit}>
      <Select
        className={css.op}
        aria-label={t('op.label')}
        value={of.op}
        popupMatchSelectWidth={false}
        onChange={(op: string) => {
          const numbers = takesNumber(type, op) === takesNumber(type, of.op)
          const next = withOp(of, op)
          onChange(numbers ? next : { ...withOp({ ...of, op: undefined }, op) })
        }}
        options={ops.map((op) => ({ value: op, label: t(`op.${op as Op}`) }))}
      />
      <Value of={of} type={type} samples={samples} onChange={onChange} />
    </span>
  )
}

function Value<T extends Comparison>({ of, type, samples = [], onChange }: Omit<Props<T>, 'ops'>) {
  const { t } = useTranslation('rules')
  const shape = shapeOf(of.op ?? '')
  const set = (value: unknown) => onChange({ ...of, value })
  if (shape === 'none') return null
  const options = samples.map((v) => ({ value: v, label: v }))
  if (shape === 'pair') {
    const [a, b] = Array.isArray(of.value) ? (of.value as unknown[]) : []
    return (
      <>
        <NumberInput label={t('from')} value={a} onChange={(v) => set([v, b ?? ''])} />
        <NumberInput label={t('to')} value={b} onChange={(v) => set([a ?? '', v])} />
      </>
    )
  }
  if (shape === 'many') {
    const numbers = takesNumber(type, of.op)
    const list = Array.isArray(of.value) ? of.value.map(String) : []
    return (
      <Select
        className={css.wide}
        aria-label={t('value')}
        mode="tags"
        value={list}
        onChange={(v: string[]) => set(numbers ? v.map(number).filter((n) => n !== '') : v)}
        tokenSeparators={[',', '，', '\n']}
        placeholder={t('manyHint')}
        notFoundContent={null}
        options={options}
      />
    )
  }
  if (takesNumber(type, of.op)) return <NumberInput label={t('value')} value={of.value} onChange={set} />
  if (type === 'boolean')
    return (
      <Select
        className={css.small}
        aria-label={t('value')}
        value={typeof of.value === 'boolean' ? String(of.value) : undefined}
        onChange={(v: string) => set(v === 'true')}
        options={[
          { value: 'true', label: t('yes') },
          { value: 'false', label: t('no') },
        ]}
      />
    )
  return (
    <AutoComplete
      className={css.wide}
      aria-label={t('value')}
      value={typeof of.value === 'string' || typeof of.value === 'number' ? String(of.value) : ''}
      maxLength={160}
      onChange={(v: string) => set(v)}
      options={options}
      showSearch={{ filterOption: (typed, o) => (o?.value ?? '').toLowerCase().includes(typed.toLowerCase()) }}
    />
  )
}

/** A number with decimals; what is typed stands as it is until it reads as another number. */
function NumberInput({ label, value, onChange }: { label: string; value: unknown; onChange: (n: number | '') => void }) {
  const [text, setText] = useState(typeof value === 'number' ? String(value) : '')
  const shown = number(text) === value || (number(text) === '' && value === '') ? text : typeof value === 'number' ? String(value) : ''
  return (
    <Input
      className={css.count}
      aria-label={label}
      type="number"
      step="any"
      value={shown}
      onChange={(e) => {
        setText(e.target.value)
        onChange(number(e.target.value))
      }}
    />
  )
}
