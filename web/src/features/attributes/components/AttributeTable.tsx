import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import css from '../pages/AttributesPage.module.css'

/** The head that attributes and built-ins share; last is the one column in which they differ. */
export function AttributeTable({ last, children }: { last: string; children: ReactNode }) {
  const { t } = useTranslation('attributes')
  return (
    <div className={css.scroll}>
      <table className={css.table}>
        <thead>
          <tr>
            <th>{t('col.name')}</th>
            <th>{t('col.type')}</th>
            <th>{t('col.filled')}</th>
            <th>{t('col.rules')}</th>
            <th>{last}</th>
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  )
}
