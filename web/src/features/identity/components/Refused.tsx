import { useTranslation } from 'react-i18next'
import { useCursorList } from '@/shared/api/cursor'
import type { NoIdentity } from '@/shared/api/types'
import { codeText } from '@/shared/i18n/code'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { DateTime } from '@/shared/ui/values'
import { refusalsPage } from '../queries'

/** Values that were sent as identifiers and identify nobody. */
export function Refused() {
  const { t } = useTranslation('identity')
  const { lang } = usePrefs()
  const list = useCursorList(refusalsPage())
  const columns: Column<NoIdentity>[] = [
    { key: 'last', title: t('refused.last'), render: (n) => <DateTime at={n.lastAt} /> },
    { key: 'kind', title: t('kinds.kind'), render: (n) => codeText('contacts', 'identity', n.kind) },
    { key: 'value', title: t('blocked.value'), render: (n) => (n.value ? <b className="kp-strong kp-num">{n.value}</b> : <span className="kp-muted">{t('refused.various')}</span>) },
    { key: 'why', title: t('conflicts.why'), render: (n) => t(`refusal.${n.reason}`) },
    { key: 'count', title: t('conflicts.count'), align: 'right', render: (n) => <span className="kp-num">{formatInt(n.count, lang)}</span> },
    { key: 'first', title: t('refused.first'), render: (n) => <DateTime at={n.firstAt} dateOnly /> },
  ]
  return (
    <Panel flush title={t('refused.title')} desc={t('refused.desc')}>
      <DataTable label={t('refused.title')} list={list} columns={columns} rowKey={(n) => [n.kind, n.reason, n.value, n.firstAt].join(' ')} empty={<Empty title={t('refused.empty')} desc={t('refused.emptyDesc')} />} />
    </Panel>
  )
}
