import { useTranslation } from 'react-i18next'
import type { RuleNode } from '@/shared/api/types'
import { Select } from '@/shared/ui/kit'
import { fieldId, useEditing } from './editing'
import { ENTRY_GROUPS, groupOf } from './entries'
import { FieldValue } from './FieldValue'
import { conditionOn, withOp, type Op } from './rule'
import css from './Rules.module.css'

/** A condition on what is true of somebody now. */
export function FieldCondition({ node, onChange }: { node: RuleNode; onChange: (n: RuleNode) => void }) {
  const { t } = useTranslation('rules')
  const { fields } = useEditing()
  const field = fields.find((f) => fieldId(f) === fieldId(node))
  return (
    <div className={css.flow}>
      <Select
        className={css.what}
        aria-label={t('field')}
        value={fieldId(node)}
        popupMatchSelectWidth={false}
        onChange={(id: string) => {
          const f = fields.find((x) => fieldId(x) === id)
          if (f) onChange(conditionOn(f))
        }}
        showSearch={{ optionFilterProp: 'label' }}
        options={ENTRY_GROUPS.map((g) => ({
          label: t(`group.${g}`),
          options: fields.filter((f) => groupOf(f) === g).map((f) => ({ value: fieldId(f), label: f.label, disabled: !!f.blocked, title: f.blocked ?? f.label })),
        })).filter((g) => g.options.length > 0)}
        labelRender={({ label }) => label ?? node.field}
      />
      <Select
        className={css.op}
        aria-label={t('op.label')}
        value={node.op}
        popupMatchSelectWidth={false}
        onChange={(op: string) => onChange(withOp(node, op))}
        options={field?.ops.map((op) => ({ value: op, label: t(`op.${op as Op}`) }))}
      />
      <FieldValue node={node} field={field} onChange={onChange} />
    </div>
  )
}
