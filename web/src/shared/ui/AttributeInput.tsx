import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { Money } from '../api/types'
import { majorUnits, regionPath, regionsQuery, regionTree, type AttributeShape } from '../lib/attributes'
import { minorUnits } from '../lib/format'
import { Cascader, Input, Select } from './kit'

interface Props {
  of: AttributeShape
  /** The canonical value, or what is being typed. */
  value?: unknown
  /** Gets what the server can read: text as it is typed, ids, a code; null is none. */
  onChange?: (value: unknown) => void
  id?: string
  autoFocus?: boolean
  'aria-label'?: string
}

const isMoney = (v: unknown): v is Money => typeof v === 'object' && v !== null && 'amount' in v && 'currency' in v

/** A value as it stands in a box for typing. */
function typed(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (isMoney(value)) return majorUnits(value.amount, minorUnits(value.currency))
  return typeof value === 'object' ? JSON.stringify(value) : String(value as string | number | boolean)
}

/** The one input for a value of an attribute, by its type. */
export function AttributeInput({ of, value, onChange, ...rest }: Props) {
  const { t } = useTranslation()
  const set = (v: unknown) => onChange?.(v === '' || v === undefined || (Array.isArray(v) && v.length === 0) ? null : v)
  switch (of.type) {
    case 'flag':
      return (
        <Select
          {...rest}
          allowClear
          value={typeof value === 'boolean' ? String(value) : undefined}
          options={[
            { value: 'true', label: t('attribute.yes') },
            { value: 'false', label: t('attribute.no') },
          ]}
          onChange={(v?: string) => set(v === undefined ? null : v === 'true')}
          style={{ minWidth: 120 }}
        />
      )
    case 'enum':
    case 'multi':
      return (
        <Select
          {...rest}
          allowClear
          mode={of.type === 'multi' ? 'multiple' : undefined}
          showSearch={{ optionFilterProp: 'label' }}
          value={value ?? undefined}
          options={(of.options ?? []).filter((o) => !o.retired || o.id === value || (Array.isArray(value) && value.includes(o.id))).map((o) => ({ value: o.id, label: o.label }))}
          onChange={set}
          style={{ minWidth: 140, width: '100%' }}
        />
      )
    case 'region':
      return <RegionInput {...rest} value={typeof value === 'string' ? value : undefined} onChange={set} />
    default:
      return (
        <Input
          {...rest}
          type={of.type === 'date' ? 'date' : of.type === 'email' ? 'email' : of.type === 'phone' ? 'tel' : 'text'}
          inputMode={of.type === 'number' || of.type === 'money' ? 'decimal' : undefined}
          prefix={of.type === 'money' ? of.currency || 'CNY' : undefined}
          suffix={of.type === 'number' ? of.unit : undefined}
          maxLength={500}
          autoComplete="off"
          value={typed(value)}
          onChange={(e) => set(e.target.value)}
        />
      )
  }
}

function RegionInput({ value, onChange, ...rest }: Omit<Props, 'of' | 'value'> & { value: string | undefined }) {
  const { t } = useTranslation()
  const places = useQuery(regionsQuery()).data?.items
  const tree = useMemo(() => regionTree(places ?? []), [places])
  const path = useMemo(() => (value && places ? regionPath(places, value).map((p) => p.code) : undefined), [places, value])
  return (
    <Cascader
      {...rest}
      options={tree}
      value={path}
      changeOnSelect
      allowClear
      showSearch
      placeholder={t('attribute.pickPlace')}
      onChange={(codes) => onChange?.(codes?.at(-1) ?? null)}
      style={{ minWidth: 180, width: '100%' }}
    />
  )
}
