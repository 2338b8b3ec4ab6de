import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { AttributeList } from '@/shared/api/types'
import { formatPercent } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { Chip } from '@/shared/ui/chips'
import { Drawer } from '@/shared/ui/Drawer'
import { Alert, Button } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { QueryState } from '@/shared/ui/states'
import { Uses } from '@/shared/ui/Uses'
import { Count, None } from '@/shared/ui/values'
import { AttributeTable } from './AttributeTable'
import css from '../pages/AttributesPage.module.css'
import { usesQuery } from '../queries'

type BuiltIn = AttributeList['builtIns'][number]

/** What every contact has a place for: shown with its rules, which are not anybody's to change. */
export function BuiltIns({ list }: { list: AttributeList }) {
  const { t } = useTranslation('attributes')
  const { lang } = usePrefs()
  const [open, setOpen] = useState<BuiltIn>()
  return (
    <Panel title={t('builtin.title')} desc={t('builtin.desc')} flush>
      <AttributeTable last={t('builtin.masked')}>
        {list.builtIns.map((b) => (
          <tr key={b.key} data-builtin={b.key}>
            <td>
              <Button type="link" size="small" className={css.name} onClick={() => setOpen(b)}>
                {t(`builtin.${b.key}`)}
              </Button>
              <code className="kp-muted">{b.key}</code>
            </td>
            <td>{t(`type.${b.type}`)}</td>
            <td className="kp-num">
              {list.people > 0 ? formatPercent(b.people / list.people, lang, 0) : '—'}{' '}
              <small className="kp-muted">
                <Count value={b.people} />
              </small>
            </td>
            <td>
              <span className="kp-row wrap">
                {b.identity && <Chip tone="info">{t('builtin.identity')}</Chip>}
                {b.identity && <Chip tone="violet">{b.limit ? t('builtin.limit', { count: b.limit }) : t('builtin.noLimit')}</Chip>}
                {b.personal === 'personal' && <Chip tone="warn">{t('class.personal')}</Chip>}
                {b.sealed && <Chip tone="warn">{t('builtin.sealed')}</Chip>}
                {b.filtered && <Chip>{t('indexed')}</Chip>}
              </span>
            </td>
            <td>{b.mask ? <code>{b.mask}</code> : <None />}</td>
          </tr>
        ))}
      </AttributeTable>
      <Drawer open={open !== undefined} onClose={() => setOpen(undefined)} title={open ? t(`builtin.${open.key}`) : ''} width={480}>
        {open && <About of={open} />}
      </Drawer>
    </Panel>
  )
}

function About({ of }: { of: BuiltIn }) {
  const { t } = useTranslation('attributes')
  const query = useQuery(usesQuery(of.key))
  return (
    <div className="kp-stack">
      <Alert type="info" showIcon title={of.identity ? t('builtin.fixedIdentity') : t('builtin.fixed')} />
      {of.mask && <p>{t('builtin.maskRule', { mask: of.mask })}</p>}
      <section>
        <h4>{t('uses.title')}</h4>
        <QueryState query={query}>{(items) => <Uses items={items} />}</QueryState>
      </section>
    </div>
  )
}
