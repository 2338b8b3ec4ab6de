import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { ImportKind, ImportOptions, Upload } from '@/shared/api/types'
import { Input, Select, Switch } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { CurrencySelect, TimezoneSelect } from '@/shared/ui/region'
import css from './OptionsForm.module.css'

/** Ways a date may be written, when the file alone cannot tell. */
const DATE_FORMATS = ['', 'y-m-d', 'm/d/y', 'd/m/y', 'excel', 'unix', 'unix_ms'] as const

interface Props {
  kind: ImportKind
  upload: Upload
  options: ImportOptions
  onChange: (o: ImportOptions) => void
}

/** How the values of the file are to be read. */
export function OptionsForm({ kind, upload, options, onChange }: Props) {
  const { t } = useTranslation('imports')
  const set = (patch: Partial<ImportOptions>) => onChange({ ...options, ...patch })
  return (
    <Panel title={t('options.title')}>
      <div className="kp-grid cols-3">
        {upload.sheets && upload.sheets.length > 1 && (
          <Labelled text={t('options.sheet')}>
            <Select value={options.sheet ?? upload.sheet} options={upload.sheets.map((s) => ({ value: s, label: s }))} onChange={(sheet: string) => set({ sheet })} />
          </Labelled>
        )}
        <Labelled text={t('options.timezone')}>
          <TimezoneSelect value={options.timezone} onChange={(timezone: string) => set({ timezone })} />
        </Labelled>
        <Labelled text={t('options.dateFormat')}>
          <Select value={options.dateFormat ?? ''} options={DATE_FORMATS.map((f) => ({ value: f, label: t(`options.dates.${f || 'auto'}`) }))} onChange={(dateFormat: string) => set({ dateFormat })} />
        </Labelled>
        {kind === 'orders' && (
          <>
            <Labelled text={t('options.currency')}>
              <CurrencySelect value={options.currency} onChange={(currency: string) => set({ currency })} />
            </Labelled>
            <Labelled text={t('options.refundPrefix')} hint={t('options.refundPrefixHint')}>
              <Input maxLength={10} value={options.refundPrefix ?? ''} onChange={(e) => set({ refundPrefix: e.target.value || undefined })} />
            </Labelled>
          </>
        )}
        {kind === 'events' && (
          <Labelled text={t('options.event')} hint={t('options.eventHint')}>
            <Input maxLength={120} value={options.event ?? ''} onChange={(e) => set({ event: e.target.value || undefined })} />
          </Labelled>
        )}
        <Labelled text={t('options.source')}>
          <Input maxLength={80} value={options.source ?? ''} onChange={(e) => set({ source: e.target.value || undefined })} />
        </Labelled>
        {kind === 'contacts' && (
          <Labelled text={t('options.update')} hint={t('options.updateHint')}>
            <Switch checked={options.updateExisting ?? true} onChange={(updateExisting) => set({ updateExisting })} />
          </Labelled>
        )}
      </div>
    </Panel>
  )
}

function Labelled({ text, hint, children }: { text: string; hint?: string; children: ReactNode }) {
  return (
    <label className={css.labelled}>
      <span>{text}</span>
      {children}
      {hint && <small className="kp-muted">{hint}</small>}
    </label>
  )
}
