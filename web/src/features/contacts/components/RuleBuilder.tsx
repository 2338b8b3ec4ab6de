import { useQuery } from '@tanstack/react-query'
import { Layers, Plus, X } from 'lucide-react'
import { useDeferredValue, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '@/shared/api/errors'
import type { Rule, RuleField, RuleNode } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { Drawer } from '@/shared/ui/Drawer'
import { Button, Segmented, Select } from '@/shared/ui/kit'
import { ErrorState, useErrorText } from '@/shared/ui/states'
import { describeFilter, ruleFieldsQuery } from '../queries'
import { conditionOn, finished, group, GROUP_KINDS, kindOf, MAX_DEPTH, partsOf, rootOf, withOp, type GroupKind, type Op } from '../rule'
import css from './RuleBuilder.module.css'
import { RuleValue } from './RuleValue'

interface Props {
  rule: Rule | undefined
  /** The rest of what narrows the list, so that the number is that of the list. */
  kind: 'person' | 'visitor'
  onApply: (rule: Rule | undefined) => void
  onClose: () => void
}

/** The filter builder: groups of conditions, said as a sentence and counted while they are written. */
export function RuleBuilder({ rule, kind, onApply, onClose }: Props) {
  const { t } = useTranslation(['contacts', 'common'])
  const { lang } = usePrefs()
  const say = useErrorText()
  const fields = useQuery(ruleFieldsQuery(lang))
  const [root, setRoot] = useState(() => rootOf(rule))
  const done = finished(root)
  const asked = useDeferredValue(JSON.stringify(done ?? null))
  const told = useQuery({ ...describeFilter({ kind, where: (JSON.parse(asked) as Rule | null) ?? undefined }, lang), placeholderData: (old) => old })
  return (
    <Drawer
      open
      onClose={onClose}
      title={t('rule.title')}
      width={720}
      footer={
        <div className={css.foot}>
          <p role="status" className={told.isError ? css.bad : undefined}>
            {told.isError ? (
              told.error instanceof ApiError && told.error.fields[0] ? told.error.fields[0].detail : say(told.error).detail
            ) : (
              <>
                <b className="kp-num">{told.data ? t('rule.count', { count: told.data.count, total: formatInt(told.data.count, lang) }) : '…'}</b> {done && told.data?.sentence}
              </>
            )}
          </p>
          <Button onClick={() => onApply(undefined)}>{t('rule.clear')}</Button>
          <Button type="primary" disabled={told.isError} onClick={() => onApply(done)}>
            {t('rule.apply')}
          </Button>
        </div>
      }
    >
      {fields.isError ? (
        <ErrorState error={fields.error} onRetry={() => void fields.refetch()} />
      ) : (
        <RuleGroup node={root} depth={1} fields={fields.data?.items ?? []} onChange={setRoot} />
      )}
    </Drawer>
  )
}

interface GroupProps {
  node: RuleNode
  depth: number
  fields: RuleField[]
  onChange: (next: RuleNode) => void
  onRemove?: () => void
}

function RuleGroup({ node, depth, fields, onChange, onRemove }: GroupProps) {
  const { t } = useTranslation('contacts')
  const kind = kindOf(node) ?? 'all'
  const parts = partsOf(node)
  const put = (at: number, part: RuleNode | undefined) => onChange(group(kind, part ? parts.map((p, i) => (i === at ? part : p)) : parts.filter((_, i) => i !== at)))
  const first = fields[0]
  return (
    <fieldset className={css.group} data-depth={depth}>
      <legend className="kp-sr">{t(`rule.kind.${kind}`)}</legend>
      <div className={css.head}>
        <Segmented<GroupKind>
          size="small"
          aria-label={t('rule.kindLabel')}
          value={kind}
          onChange={(k) => onChange(group(k, parts))}
          options={GROUP_KINDS.map((k) => ({ value: k, label: t(`rule.kind.${k}`) }))}
        />
        {onRemove && <Button size="small" type="text" aria-label={t('rule.removeGroup')} icon={<X size={14} aria-hidden />} onClick={onRemove} />}
      </div>
      {parts.length === 0 && <p className="kp-muted">{t('rule.none')}</p>}
      {parts.map((p, i) =>
        kindOf(p) ? (
          <RuleGroup key={i} node={p} depth={depth + 1} fields={fields} onChange={(n) => put(i, n)} onRemove={() => put(i, undefined)} />
        ) : (
          <Condition key={i} node={p} fields={fields} onChange={(n) => put(i, n)} onRemove={() => put(i, undefined)} />
        ),
      )}
      <div className={css.add}>
        <Button size="small" disabled={!first} icon={<Plus size={14} aria-hidden />} onClick={() => first && onChange(group(kind, [...parts, conditionOn(first)]))}>
          {t('rule.addCondition')}
        </Button>
        {depth < MAX_DEPTH && (
          <Button size="small" type="text" icon={<Layers size={14} aria-hidden />} onClick={() => onChange(group(kind, [...parts, group(kind === 'all' ? 'any' : 'all', [])]))}>
            {t('rule.addGroup')}
          </Button>
        )}
      </div>
    </fieldset>
  )
}

const idOf = (f: { field?: string; key?: string }) => `${f.field ?? ''}/${f.key ?? ''}`
const GROUPS = ['person', 'work', 'source', 'activity', 'orders', 'consent', 'attribute'] as const

function Condition({ node, fields, onChange, onRemove }: { node: RuleNode; fields: RuleField[]; onChange: (n: RuleNode) => void; onRemove: () => void }) {
  const { t } = useTranslation('contacts')
  const field = fields.find((f) => idOf(f) === idOf(node))
  return (
    <div className={css.row}>
      <Select
        aria-label={t('rule.field')}
        value={idOf(node)}
        onChange={(id: string) => {
          const f = fields.find((x) => idOf(x) === id)
          if (f) onChange(conditionOn(f))
        }}
        showSearch={{ optionFilterProp: 'label' }}
        options={GROUPS.map((g) => ({
          label: t(`rule.group.${g}`),
          options: fields.filter((f) => f.group === g).map((f) => ({ value: idOf(f), label: f.label, disabled: !!f.blocked, title: f.blocked })),
        })).filter((g) => g.options.length > 0)}
      />
      <Select
        aria-label={t('rule.op.label')}
        value={node.op}
        onChange={(op: string) => onChange(withOp(node, op))}
        options={field?.ops.map((op) => ({ value: op, label: t(`rule.op.${op as Op}`) }))}
      />
      <RuleValue node={node} field={field} onChange={onChange} />
      <Button type="text" aria-label={t('rule.remove')} icon={<X size={15} aria-hidden />} onClick={onRemove} />
    </div>
  )
}
