import { useTranslation } from 'react-i18next'
import type { ImportField, ImportKind, Mapping, Upload } from '@/shared/api/types'
import { Select, Table } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { ATTRIBUTE, PROPERTY } from '../mapping'

interface Props {
  upload: Upload
  fields: ImportField[]
  kind: ImportKind
  mapping: Mapping
  onChange: (m: Mapping) => void
}

/** What each column of the file becomes, with samples beside it. */
export function Columns({ upload, fields, kind, mapping, onChange }: Props) {
  const { t } = useTranslation('imports')
  const groups = [...new Set(fields.map((f) => f.group))].map((g) => ({
    label: t(`columns.group.${g}`),
    options: fields.filter((f) => f.group === g).map((f) => ({ value: f.id, label: f.required ? `${f.label} *` : f.label })),
  }))
  const own = kind === 'contacts' ? ATTRIBUTE : PROPERTY
  return (
    <Panel flush title={t('columns.title')} desc={t('columns.desc')}>
      <Table
        size="small"
        rowKey="index"
        pagination={false}
        scroll={{ x: 'max-content', y: 420 }}
        dataSource={upload.columns}
        columns={[
          { key: 'name', title: t('columns.column'), dataIndex: 'name', render: (v: string) => <b className="kp-strong">{v}</b> },
          { key: 'samples', title: t('columns.samples'), dataIndex: 'samples', render: (v: string[]) => <span className="kp-muted">{v.slice(0, 3).join(' · ')}</span> },
          {
            key: 'field',
            title: t('columns.becomes'),
            width: 280,
            render: (_: unknown, c: Upload['columns'][number]) => (
              <Select
                style={{ width: 260 }}
                aria-label={t('columns.of', { column: c.name })}
                showSearch={{ optionFilterProp: 'label' }}
                value={mapping.columns[c.name] ?? ''}
                onChange={(v: string) => onChange({ columns: { ...mapping.columns, [c.name]: v } })}
                options={[
                  { value: '', label: t('columns.ignore') },
                  ...groups,
                  { value: own + c.name, label: t(kind === 'contacts' ? 'columns.attribute' : 'columns.property', { column: c.name }) },
                ]}
              />
            ),
          },
        ]}
      />
    </Panel>
  )
}
