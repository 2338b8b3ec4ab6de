import { Plus, X } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import type { RuleWhere } from '@/shared/api/types'
import { Button } from '@/shared/ui/kit'
import { MAX_WHERES, whereOn, whereOps } from './behaviour'
import { Compare } from './Compare'
import { PropertyPick, useProperties } from './EventPick'
import css from './Rules.module.css'

interface Props {
  event: string
  value: RuleWhere[] | undefined
  onChange: (next: RuleWhere[] | undefined) => void
}

/** Narrows the facts of an event to those whose properties fulfil all of these. */
export function WhereList({ event, value = [], onChange }: Props) {
  const { t } = useTranslation('rules')
  const { items } = useProperties(event)
  const put = (list: RuleWhere[]) => onChange(list.length > 0 ? list : undefined)
  return (
    <div className={css.wheres}>
      {value.map((w, i) => {
        const known = items.find((p) => p.name === w.property)
        const set = (next: RuleWhere) => put(value.map((x, n) => (n === i ? next : x)))
        return (
          <div key={i} className={css.where} role="group" aria-label={t('where.one', { n: i + 1 })}>
            <span className={css.word}>{i === 0 ? t('where.first') : t('where.and')}</span>
            <PropertyPick
              event={event}
              value={w.property}
              onChange={(property) => set(whereOn(w, property, items.find((p) => p.name === property)?.type, known?.type))}
            />
            <Compare of={w} ops={whereOps(known?.type)} type={known?.type} samples={known?.samples} onChange={set} />
            <Button size="small" type="text" aria-label={t('where.remove')} icon={<X size={14} aria-hidden />} onClick={() => put(value.filter((_, n) => n !== i))} />
          </div>
        )
      })}
      {event !== '' && value.length < MAX_WHERES && (
        <Button size="small" type="link" className={css.more} icon={<Plus size={13} aria-hidden />} onClick={() => put([...value, { property: '', op: 'is', value: '' }])}>
          {t('where.add')}
        </Button>
      )}
    </div>
  )
}
