import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { RuleField, RuleNode } from '@/shared/api/types'
import { Checkbox, Input, Select } from '@/shared/ui/kit'
import { useEditing } from './editing'
import { tagsQuery } from './queries'
import { shapeOf } from './rule'
import { useStaff } from './useStaff'
import css from './Rules.module.css'

interface Props {
  node: RuleNode
  field: RuleField | undefined
  onChange: (next: RuleNode) => void
}

const list = (v: unknown): string[] => (Array.isArray(v) ? v.map(String) : [])

/** The control for a condition's value: what the field's type and the operator ask for. */
export function FieldValue({ node, field, onChange }: Props) {
  const { t } = useTranslation('rules')
  const shape = shapeOf(node.op ?? '')
  const set = (value: unknown) => onChange({ ...node, value })
  if (!field || shape === 'none') return null
  const label = t('value')
  if (field.field === 'tag') return <TagValue node={node} onChange={onChange} />
  if (field.field === 'owner') return <OwnerValue node={node} onChange={onChange} />
  if (shape === 'days')
    return (
      <span className={css.value}>
        <Input aria-label={label} type="number" min={1} max={36500} value={String(node.value ?? '')} onChange={(e) => set(e.target.value === '' ? '' : Number(e.target.value))} suffix={t('days')} />
      </span>
    )
  if (field.type === 'date') return <span className={css.value}>{pair(shape, node, set, (v, put, name) => <Input key={name} type="date" aria-label={t(`${name}`)} value={String(v ?? '')} onChange={(e) => put(e.target.value)} />)}</span>
  if (field.type === 'number' || field.type === 'money') {
    const unit = field.type === 'money' ? 100 : 1
    return (
      <span className={css.value}>
        {pair(shape, node, set, (v, put, name) => (
          <Input
            key={name}
            type="number"
            step={unit === 100 ? '0.01' : '1'}
            aria-label={t(`${name}`)}
            value={typeof v === 'number' ? String(v / unit) : ''}
            onChange={(e) => put(e.target.value === '' ? '' : Math.round(Number(e.target.value) * unit))}
          />
        ))}
      </span>
    )
  }
  if (field.type === 'bool')
    return (
      <span className={css.value}>
        <Select
          aria-label={label}
          value={typeof node.value === 'boolean' ? String(node.value) : undefined}
          onChange={(v: string) => set(v === 'true')}
          options={[
            { value: 'true', label: t('yes') },
            { value: 'false', label: t('no') },
          ]}
        />
      </span>
    )
  if (field.options?.length)
    return (
      <span className={css.value}>
        <Select aria-label={label} mode={shape === 'many' ? 'multiple' : undefined} value={(node.value as string | string[]) || undefined} onChange={set} options={field.options} showSearch={{ optionFilterProp: 'label' }} />
      </span>
    )
  return (
    <span className={css.value}>
      {shape === 'many' ? (
        <Select aria-label={label} mode="tags" value={list(node.value)} onChange={set} tokenSeparators={[',', '，', '\n']} placeholder={t('manyHint')} notFoundContent={null} />
      ) : (
        <Input aria-label={label} value={String(node.value ?? '')} maxLength={160} onChange={(e) => set(e.target.value)} />
      )}
    </span>
  )
}

/** One control, or two for a stretch from one value to another. */
function pair(shape: string, node: RuleNode, set: (v: unknown) => void, draw: (v: unknown, put: (v: unknown) => void, name: 'value' | 'from' | 'to') => ReactNode) {
  if (shape !== 'pair') return draw(node.value, set, 'value')
  const [a, b] = Array.isArray(node.value) ? (node.value as unknown[]) : []
  return [draw(a, (v) => set([v, b ?? '']), 'from'), draw(b, (v) => set([a ?? '', v]), 'to')]
}

function TagValue({ node, onChange }: Omit<Props, 'field'>) {
  const { t } = useTranslation('rules')
  const tags = useQuery(tagsQuery())
  return (
    <span className={css.value}>
      <Select
        aria-label={t('value')}
        mode="multiple"
        loading={tags.isPending}
        value={list(node.value)}
        onChange={(value: string[]) => onChange({ ...node, value })}
        showSearch={{ optionFilterProp: 'label' }}
        notFoundContent={t('noTags')}
        options={tags.data?.groups.map((g) => ({ label: g.name, options: g.tags.map((x) => ({ value: x.id, label: x.name })) }))}
      />
      <Checkbox
        checked={node.children ?? false}
        onChange={(e) => {
          const next = { ...node }
          delete next.children
          onChange(e.target.checked ? { ...next, children: true } : next)
        }}
      >
        {t('children')}
      </Checkbox>
    </span>
  )
}

function OwnerValue({ node, onChange }: Omit<Props, 'field'>) {
  const { t } = useTranslation('rules')
  const staff = useStaff()
  const { personal } = useEditing()
  const many = shapeOf(node.op ?? '') === 'many'
  return (
    <span className={css.value}>
      <Select
        aria-label={t('value')}
        mode={many ? 'multiple' : undefined}
        value={many ? list(node.value) : (node.value as string) || undefined}
        onChange={(value: string | string[]) => onChange({ ...node, value })}
        showSearch={{ optionFilterProp: 'label' }}
        options={[...(personal ? [{ value: 'me', label: t('me') }] : []), { value: 'left', label: t('left') }, ...staff.map((u) => ({ value: u.id, label: u.name }))]}
      />
    </span>
  )
}
