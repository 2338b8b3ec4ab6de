import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '@/shared/api/errors'
import type { CostFile, CostResult } from '@/shared/api/types'
import { formatMoney } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { Drawer } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Grid } from '@/shared/ui/Grid'
import { Alert, Button, Select } from '@/shared/ui/kit'
import { useErrorText } from '@/shared/ui/states'
import { UploadDrop } from '@/shared/ui/UploadDrop'
import { importCosts, sendCosts } from '../queries'
import css from './channels.module.css'

const COLUMNS = ['dayColumn', 'channelColumn', 'amountColumn'] as const

/** Takes costs from a file: first what it would bring, then the doing. */
export function CostUpload({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('channels')
  const { lang } = usePrefs()
  const client = useQueryClient()
  const toast = useToast()
  const say = useErrorText()
  const [file, setFile] = useState<CostFile>()
  const look = useMutation({ mutationFn: (body: CostFile) => importCosts({ ...body, dryRun: true }) })
  const take = useMutation({
    mutationFn: (body: CostFile) => importCosts({ ...body, dryRun: false }),
    onSuccess: async (r) => {
      await client.invalidateQueries({ queryKey: ['channels'] })
      toast.done(t('file.done', { count: r.cells }))
      onClose()
    },
  })
  const ask = (next: CostFile) => {
    setFile(next)
    look.mutate(next)
  }
  const seen = look.data
  const error = take.error ?? look.error
  const columns = seen?.columns ?? []
  return (
    <Drawer open onClose={onClose} title={t('file.title')} width={640}>
      <div className={css.form}>
        <p className="kp-muted">{t('file.desc')}</p>
        <UploadDrop title={t('file.drop')} hint={t('file.hint')} accept=".csv,.xlsx,.txt" upload={sendCosts} onDone={(up) => ask({ uploadId: up.id })} />
        {!!error && <Alert type="error" showIcon role="alert" title={error instanceof ApiError && error.fields[0] ? error.fields[0].detail : say(error).detail} />}
        {file && columns.length > 0 && (
          <div className={css.try}>
            {COLUMNS.map((c) => (
              <label key={c}>
                <div className="kp-muted">{t(`file.${c}`)}</div>
                <Select
                  style={{ width: '100%' }}
                  aria-label={t(`file.${c}`)}
                  value={(file[c] ?? seen?.[c]) || undefined}
                  status={seen?.missing.includes(c) ? 'warning' : undefined}
                  placeholder={t('file.choose')}
                  onChange={(name) => ask({ ...file, [c]: name })}
                  options={columns.map((name) => ({ value: name, label: name }))}
                />
              </label>
            ))}
          </div>
        )}
        {seen && seen.missing.length === 0 && <Found seen={seen} lang={lang} />}
        {seen && file && (
          <div className="kp-row">
            <Button type="primary" disabled={seen.cells === 0} loading={take.isPending} onClick={() => take.mutate(file)}>
              {t('file.take', { count: seen.cells })}
            </Button>
          </div>
        )}
      </div>
    </Drawer>
  )
}

function Found({ seen, lang }: { seen: CostResult; lang: string }) {
  const { t } = useTranslation('channels')
  return (
    <>
      <Alert
        type={seen.rejected > 0 ? 'warning' : 'info'}
        showIcon
        title={t('file.would', { rows: seen.rows, cells: seen.cells, rejected: seen.rejected })}
        description={
          <>
            {seen.from && <div>{t('file.days', { from: seen.from, to: seen.to })}</div>}
            {seen.sums.map((s) => (
              <div key={s.currency}>{t('file.sum', { sum: formatMoney(s, lang) })}</div>
            ))}
            {seen.replaced > 0 && <div>{t('file.replaced', { count: seen.replaced })}</div>}
          </>
        }
      />
      {seen.rejects.length > 0 && (
        <Grid
          label={t('file.rejected')}
          rows={seen.rejects}
          rowKey={(r) => String(r.line)}
          columns={[
            { key: 'line', title: t('file.line'), width: 70, render: (r) => r.line },
            { key: 'text', title: t('file.text'), clip: true, render: (r) => r.text },
            { key: 'reason', title: t('file.reason'), render: (r) => r.reason },
          ]}
        />
      )}
    </>
  )
}
