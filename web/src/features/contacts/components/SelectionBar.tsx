import { useTranslation } from 'react-i18next'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import type { ContactSelection, SelectionAction } from '@/shared/lib/selection'
import { Button } from '@/shared/ui/kit'
import css from './SelectionBar.module.css'

interface Props {
  selection: ContactSelection
  actions: SelectionAction[]
  /** How many the list holds in all. */
  total: number
  /** Whether all that match are chosen, seen or not. */
  all: boolean
  onAll: () => void
}

/** The bar that shows while contacts are chosen: how many, all of them, and what to do. */
export function SelectionBar({ selection, actions, total, all, onAll }: Props) {
  const { t } = useTranslation('contacts')
  const { lang } = usePrefs()
  return (
    <div className={css.bar} role="region" aria-label={t('bulk.label')}>
      <b role="status">{t('bulk.selected', { count: selection.count })}</b>
      {!all && total > selection.count && (
        <Button size="small" type="link" onClick={onAll}>
          {t('bulk.selectAll', { total: formatInt(total, lang) })}
        </Button>
      )}
      {all && <span className="kp-muted">{t('bulk.allHint')}</span>}
      <span className={css.actions}>
        {actions.map((a) => (
          <span key={a.key}>{a.show(selection)}</span>
        ))}
      </span>
      <Button size="small" type="text" onClick={selection.done}>
        {t('bulk.clear')}
      </Button>
    </div>
  )
}
