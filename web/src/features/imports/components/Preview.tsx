import { useTranslation } from 'react-i18next'
import type { ImportField, ImportKind, ImportPreview, Money } from '@/shared/api/types'
import { formatInt, formatMoney } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useTimezone } from '@/shared/lib/session'
import { formatDateTime } from '@/shared/lib/time'
import { StatusDot } from '@/shared/ui/chips'
import { Alert, Table } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { DateTime, Money as Amount } from '@/shared/ui/values'

type Row = ImportPreview['rows'][number]

/** What would happen: counts, and the first rows, good and bad. */
export function Preview({ preview, kind, fields }: { preview: ImportPreview; kind: ImportKind; fields: ImportField[] }) {
  const { t } = useTranslation('imports')
  const { lang } = usePrefs()
  const recordText = useRecordText(fields)
  const s = preview.summary
  return (
    <Panel
      title={t('check.title')}
      desc={preview.complete ? t('check.whole', { count: preview.checked }) : t('check.part', { count: preview.checked })}
    >
      <div className="kp-stack">
        <div className="kp-row wrap">
          <StatusDot tone="good">{t('check.good', { count: preview.good })}</StatusDot>
          {preview.bad > 0 && <StatusDot tone="warn">{t('check.bad', { count: preview.bad })}</StatusDot>}
          <span className="kp-muted">{t('check.people', { count: s.people })}</span>
          {kind === 'orders' && <span className="kp-muted">{t('check.orders', { count: s.orders })}</span>}
          {s.revenue && (
            <span className="kp-muted kp-nowrap">
              {t('check.revenue')} <Amount value={s.revenue} />
            </span>
          )}
          {s.from && s.to && (
            <span className="kp-muted">
              <DateTime at={s.from} /> – <DateTime at={s.to} />
            </span>
          )}
        </div>
        {preview.good === 0 && <Alert type="error" showIcon role="alert" title={t('check.none')} />}
        <Table<Row>
          size="small"
          rowKey="line"
          pagination={false}
          scroll={{ y: 360 }}
          dataSource={preview.rows}
          columns={[
            { key: 'line', title: t('check.line'), align: 'right', width: 80, render: (_, r) => <span className="kp-num">{formatInt(r.line, lang)}</span> },
            { key: 'ok', title: t('column.state'), width: 110, render: (_, r) => <StatusDot tone={r.ok ? 'good' : 'bad'}>{r.ok ? t('check.in') : t('check.out')}</StatusDot> },
            {
              key: 'what',
              title: t('check.what'),
              render: (_, r) =>
                r.ok ? (
                  <span className="kp-muted">{recordText(r.record)}</span>
                ) : (
                  r.errors.map((e) => (
                    <div key={e.column + e.code}>
                      <b className="kp-strong">{e.column}</b> {e.detail} {e.value && <code>{e.value}</code>}
                    </div>
                  ))
                ),
            },
          ]}
        />
      </div>
    </Panel>
  )
}

/** A record in one line, in the words of the mapping, without empty parts. */
function useRecordText(fields: ImportField[]): (record: Record<string, unknown>) => string {
  const { lang } = usePrefs()
  const zone = useTimezone()
  const label = (id: string) => fields.find((f) => f.id === id)?.label ?? id.replace(/^(attr|prop):/, '')
  const write = (v: unknown): string => {
    if (Array.isArray(v)) return v.map(write).join('、')
    if (isMoney(v)) return formatMoney(v, lang)
    if (typeof v === 'object') return JSON.stringify(v)
    const text = String(v)
    return INSTANT.test(text) ? formatDateTime(text, lang, zone) : text
  }
  return (record) =>
    Object.entries(record)
      .filter(([, v]) => v !== '' && v !== null && v !== undefined)
      .map(([k, v]) => `${label(k)} ${write(v)}`)
      .join(' · ')
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/

function isMoney(v: unknown): v is Money {
  return typeof v === 'object' && v !== null && 'amount' in v && 'currency' in v
}
