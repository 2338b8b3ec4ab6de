import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Download } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { idempotencyKey } from '@/shared/api/client'
import type { ExportInput } from '@/shared/api/types'
import { usePrefs } from '@/shared/lib/prefs'
import type { ContactSelection } from '@/shared/lib/selection'
import { useCan } from '@/shared/lib/session'
import { Dialog } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Button, Checkbox, Input, Segmented, Select } from '@/shared/ui/kit'
import { useErrorText } from '@/shared/ui/states'
import { exportColumnsQuery, startExport } from '../queries'
import css from './ViewTabs.module.css'

/** Exports the chosen contacts into a file: a job, whose file is on the page of jobs. */
export function ExportContacts({ selection }: { selection: ContactSelection }) {
  const { t } = useTranslation('contacts')
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button size="small" icon={<Download size={14} aria-hidden />} onClick={() => setOpen(true)}>
        {t('export.action')}
      </Button>
      {open && <ExportDialog selection={selection} onClose={() => setOpen(false)} />}
    </>
  )
}

const USUAL = ['id', 'name', 'phone', 'email', 'city', 'channel', 'tags', 'owner', 'orders', 'revenue', 'lastSeen', 'created']

function ExportDialog({ selection, onClose }: { selection: ContactSelection; onClose: () => void }) {
  const { t } = useTranslation(['contacts', 'common'])
  const { lang } = usePrefs()
  const client = useQueryClient()
  const toast = useToast()
  const go = useNavigate() // the note stands outside the router: no links in it
  const say = useErrorText()
  const mayUnmask = useCan('contact.unmask')
  const columns = useQuery(exportColumnsQuery(lang))
  const [format, setFormat] = useState<ExportInput['format']>('xlsx')
  const [encoding, setEncoding] = useState<NonNullable<ExportInput['encoding']>>('utf8bom')
  const [chosen, setChosen] = useState(USUAL)
  const [clear, setClear] = useState(false)
  const [reason, setReason] = useState('')
  const [key] = useState(idempotencyKey)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  // Those chosen when the dialog opened; the list behind it may refresh.
  const [{ body, count }] = useState(selection)
  const run = async () => {
    setBusy(true)
    try {
      await startExport({ selection: body, format, encoding, columns: chosen, clear, reason: clear ? reason : undefined }, key)
      void client.invalidateQueries({ queryKey: ['jobs'] })
      toast.notice({ kind: 'success', title: t('export.started'), action: <Button onClick={() => void go('/jobs')}>{t('export.jobs')}</Button> })
      onClose()
      selection.done()
    } catch (e) {
      setError(e)
      setBusy(false)
    }
  }
  return (
    <Dialog open onClose={onClose} title={t('export.title', { count })}>
      <form
        className={css.form}
        onSubmit={(e) => {
          e.preventDefault()
          void run()
        }}
      >
        <Segmented<ExportInput['format']>
          aria-label={t('export.format')}
          value={format}
          onChange={setFormat}
          options={[
            { value: 'xlsx', label: t('export.xlsx') },
            { value: 'csv', label: t('export.csv') },
          ]}
        />
        {format === 'csv' && (
          <label>
            <span>{t('export.encoding')}</span>
            <Select
              style={{ width: '100%' }}
              value={encoding}
              onChange={setEncoding}
              options={[
                { value: 'utf8bom', label: t('export.utf8bom') },
                { value: 'utf8', label: t('export.utf8') },
                { value: 'gb18030', label: t('export.gb18030') },
              ]}
            />
          </label>
        )}
        <label>
          <span>{t('export.columns')}</span>
          <Select
            mode="multiple"
            style={{ width: '100%' }}
            value={chosen}
            onChange={setChosen}
            showSearch={{ optionFilterProp: 'label' }}
            options={columns.data?.items.map((c) => ({ value: c.key, label: c.label }))}
          />
        </label>
        {mayUnmask ? (
          <Checkbox checked={clear} onChange={(e) => setClear(e.target.checked)}>
            {t('export.clear')}
          </Checkbox>
        ) : (
          <p className="kp-muted">{t('export.masked')}</p>
        )}
        {clear && (
          <label>
            <span>{t('export.reason')}</span>
            <Input value={reason} maxLength={160} onChange={(e) => setReason(e.target.value)} />
          </label>
        )}
        {error !== undefined && (
          <p className={css.bad} role="alert">
            {say(error).detail}
          </p>
        )}
        <div className={css.actions}>
          <Button onClick={onClose}>{t('common:action.cancel')}</Button>
          <Button type="primary" htmlType="submit" loading={busy} disabled={chosen.length === 0 || (clear && reason.trim() === '')}>
            {t('export.run')}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
