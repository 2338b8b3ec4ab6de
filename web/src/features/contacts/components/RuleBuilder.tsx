import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '@/shared/api/errors'
import type { Rule } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useSettled } from '@/shared/lib/settled'
import { useRuleDraft } from '@/shared/rules/draft'
import { faultsOf } from '@/shared/rules/faults'
import { LazyRuleEditor } from '@/shared/rules/LazyRuleEditor'
import { Drawer } from '@/shared/ui/Drawer'
import { Button } from '@/shared/ui/kit'
import { useErrorText } from '@/shared/ui/states'
import { describeFilter } from '../queries'
import css from './RuleBuilder.module.css'

interface Props {
  rule: Rule | undefined
  /** The rest of what narrows the list, so that the number is that of the list. */
  kind: 'person' | 'visitor'
  onApply: (rule: Rule | undefined) => void
  onClose: () => void
}

/** The filter builder: groups of conditions, said as a sentence and counted while they are written. */
export function RuleBuilder({ rule, kind, onApply, onClose }: Props) {
  const { t } = useTranslation('contacts')
  const { lang } = usePrefs()
  const say = useErrorText()
  const draft = useRuleDraft(rule)
  const now = JSON.stringify(draft.rule ?? null)
  const asked = useSettled(now)
  const told = useQuery({ ...describeFilter({ kind, where: (JSON.parse(asked) as Rule | null) ?? undefined }, lang), placeholderData: (old) => old })
  const faults = useMemo(() => faultsOf(told.error, draft.at), [told.error, draft.at])
  const busy = told.isFetching || asked !== now
  return (
    <Drawer
      open
      onClose={onClose}
      title={t('rule.title')}
      width={900}
      footer={
        <div className={css.foot}>
          <p role="status" aria-busy={busy} className={told.isError ? css.bad : busy ? css.busy : undefined}>
            {told.isError ? (
              told.error instanceof ApiError && told.error.fields[0] ? told.error.fields[0].detail : say(told.error).detail
            ) : (
              <>
                <b className="kp-num">{told.data ? t('rule.count', { count: told.data.count, total: formatInt(told.data.count, lang) }) : '…'}</b> {draft.rule && told.data?.sentence}
              </>
            )}
          </p>
          <Button onClick={() => onApply(undefined)}>{t('rule.clear')}</Button>
          <Button type="primary" disabled={told.isError} onClick={() => onApply(draft.rule)}>
            {t('rule.apply')}
          </Button>
        </div>
      }
    >
      <LazyRuleEditor draft={draft} faults={faults} personal />
    </Drawer>
  )
}
