import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import type { ImportKind, ImportOptions, Mapping, Upload } from '@/shared/api/types'
import { formatBytes } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { Chip } from '@/shared/ui/chips'
import { useToast } from '@/shared/ui/feedback'
import { Alert, Button, Input, Segmented, Select } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { applySaved, doubled, missing } from '../mapping'
import { fieldsQuery, mappingsQuery, previewImport, startImport } from '../queries'
import { Columns } from './Columns'
import { OptionsForm } from './OptionsForm'
import { Preview } from './Preview'

const KINDS: readonly ImportKind[] = ['contacts', 'orders', 'events']

interface Props {
  upload: Upload
  onChecked: (checked: boolean) => void
  onBack: () => void
}

/** From a sent file to a started import: mapping, options, dry run, go. */
export function Plan({ upload, onChecked, onBack }: Props) {
  const { t } = useTranslation('imports')
  const { lang } = usePrefs()
  const go = useNavigate()
  const toast = useToast()
  const [kind, setKind] = useState<ImportKind>(upload.suggestion.kind)
  const [mapping, setMapping] = useState<Mapping>(upload.suggestion.mapping)
  const [options, setOptions] = useState<ImportOptions>(upload.suggestion.options)
  const [name, setName] = useState(upload.name)
  const [keepAs, setKeepAs] = useState('')
  const fields = useQuery(fieldsQuery(kind))
  const saved = useQuery(mappingsQuery(kind))
  const plan = { uploadId: upload.id, kind, mapping, options }
  const check = useMutation({ mutationFn: () => previewImport(plan), onSuccess: () => onChecked(true), onError: (error) => toast.failed(error) })
  const start = useMutation({
    mutationFn: () => startImport({ ...plan, name: name.trim() || undefined, saveMappingAs: keepAs.trim() || undefined }),
    onSuccess: (made) => void go(`/imports/${made.id}`),
    onError: (error) => toast.failed(error),
  })
  const changed = () => {
    check.reset()
    onChecked(false)
  }
  const lacking = missing(fields.data?.items ?? [], mapping)
  const twice = doubled(mapping)
  const label = (id: string) => fields.data?.items.find((f) => f.id === id)?.label ?? id
  const ready = lacking.length === 0 && twice.length === 0 && fields.data !== undefined
  return (
    <div className="kp-stack">
      <Panel
        title={upload.name}
        desc={t('file.about', { size: formatBytes(upload.size, lang), columns: upload.columns.length })}
        extra={
          <span className="kp-row">
            <Chip>{upload.format}</Chip>
            {upload.format === 'csv' && <Chip>{upload.encoding}</Chip>}
            <Button onClick={onBack}>{t('file.other')}</Button>
          </span>
        }
      >
        <div className="kp-row wrap">
          <span className="kp-muted">{t('column.kind')}</span>
          <Segmented<ImportKind>
            aria-label={t('column.kind')}
            value={kind}
            onChange={(k) => {
              setKind(k)
              changed()
            }}
            options={KINDS.map((k) => ({ value: k, label: t(`kind.${k}`) }))}
          />
          {(saved.data?.items.length ?? 0) > 0 && (
            <Select
              style={{ minWidth: 200 }}
              placeholder={t('saved.use')}
              aria-label={t('saved.use')}
              value={undefined}
              options={saved.data?.items.map((m) => ({ value: m.id, label: m.name }))}
              onChange={(id: string) => {
                const found = saved.data?.items.find((m) => m.id === id)
                if (!found) return
                setMapping(applySaved(upload, found.mapping, upload.suggestion.mapping))
                setOptions(found.options)
                changed()
              }}
            />
          )}
        </div>
      </Panel>
      <Columns
        upload={upload}
        fields={fields.data?.items ?? []}
        kind={kind}
        mapping={mapping}
        onChange={(m) => {
          setMapping(m)
          changed()
        }}
      />
      <OptionsForm
        kind={kind}
        upload={upload}
        options={options}
        onChange={(o) => {
          setOptions(o)
          changed()
        }}
      />
      {lacking.length > 0 && <Alert type="warning" showIcon role="alert" title={t('mapping.missing', { fields: lacking.map((f) => f.label).join('、') })} />}
      {twice.length > 0 && <Alert type="warning" showIcon role="alert" title={t('mapping.twice', { fields: twice.map(label).join('、') })} />}
      {check.data && <Preview preview={check.data} kind={kind} fields={fields.data?.items ?? []} />}
      <Panel>
        <div className="kp-row wrap">
          <label className="kp-row">
            <span className="kp-muted">{t('column.name')}</span>
            <Input style={{ width: 260 }} maxLength={120} value={name} onChange={(e) => setName(e.target.value)} />
          </label>
          <label className="kp-row">
            <span className="kp-muted">{t('saved.as')}</span>
            <Input style={{ width: 200 }} maxLength={80} placeholder={t('saved.asHint')} value={keepAs} onChange={(e) => setKeepAs(e.target.value)} />
          </label>
          <span className="kp-grow" />
          <Button type={check.data ? 'default' : 'primary'} disabled={!ready} loading={check.isPending} onClick={() => check.mutate()}>
            {t('check.ok')}
          </Button>
          <Button type={check.data ? 'primary' : 'default'} disabled={!ready || !check.data || check.data.good === 0} loading={start.isPending} onClick={() => start.mutate()}>
            {t('start')}
          </Button>
        </div>
      </Panel>
    </div>
  )
}
