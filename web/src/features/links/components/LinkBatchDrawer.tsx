import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Download } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '@/shared/api/errors'
import type { LinkBatchResult } from '@/shared/api/types'
import { Drawer } from '@/shared/ui/Drawer'
import { Grid } from '@/shared/ui/Grid'
import { Alert, Button } from '@/shared/ui/kit'
import { useErrorText } from '@/shared/ui/states'
import { UploadDrop } from '@/shared/ui/UploadDrop'
import { linksAsCSV, wholeAddress } from '../address'
import { createBatch, sendLinks } from '../queries'

/** Makes many links from a file: first what it would make, then the links to take along. */
export function LinkBatchDrawer({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('links')
  const client = useQueryClient()
  const say = useErrorText()
  const [upload, setUpload] = useState<string>()
  const look = useMutation({ mutationFn: (uploadId: string) => createBatch({ uploadId, dryRun: true }) })
  const make = useMutation({ mutationFn: (uploadId: string) => createBatch({ uploadId, dryRun: false }), onSuccess: () => client.invalidateQueries({ queryKey: ['links'] }) })
  const error = make.error ?? look.error
  const seen = make.data ?? look.data
  return (
    <Drawer open onClose={onClose} title={t('batch.title')} width={640}>
      <div className="kp-stack">
        <p className="kp-muted">{t('batch.desc')}</p>
        {!make.data && (
          <UploadDrop
            title={t('batch.drop')}
            hint={t('batch.hint')}
            accept=".csv,.xlsx"
            upload={sendLinks}
            onDone={(up) => {
              setUpload(up.id)
              look.mutate(up.id)
            }}
          />
        )}
        {!!error && <Alert type="error" showIcon role="alert" title={error instanceof ApiError && error.fields[0] ? error.fields[0].detail : say(error).detail} />}
        {seen && <Found seen={seen} made={make.data !== undefined} />}
        {look.data && upload && !make.data && (
          <Button type="primary" disabled={look.data.good === 0} loading={make.isPending} onClick={() => make.mutate(upload)}>
            {t('batch.make', { count: look.data.good })}
          </Button>
        )}
      </div>
    </Drawer>
  )
}

function Found({ seen, made }: { seen: LinkBatchResult; made: boolean }) {
  const { t } = useTranslation('links')
  const save = () => {
    const rows = seen.made.map((l) => [l.title, wholeAddress(l, window.location.origin), l.target])
    const file = new Blob([linksAsCSV([t('list.title'), t('batch.address'), t('list.target')], rows)], { type: 'text/csv' })
    const a = document.createElement('a')
    a.href = URL.createObjectURL(file)
    a.download = 'links.csv'
    a.click()
    URL.revokeObjectURL(a.href)
  }
  return (
    <>
      <Alert
        type={made ? 'success' : seen.rejected > 0 ? 'warning' : 'info'}
        showIcon
        role="status"
        title={made ? t('batch.made', { count: seen.made.length }) : t('batch.would', { rows: seen.rows, good: seen.good, rejected: seen.rejected })}
        action={
          made && (
            <Button size="small" icon={<Download size={14} aria-hidden />} onClick={save}>
              {t('batch.save')}
            </Button>
          )
        }
      />
      {seen.rejects.length > 0 && (
        <Grid
          label={t('batch.rejected')}
          rows={seen.rejects}
          rowKey={(r) => String(r.line)}
          columns={[
            { key: 'line', title: t('batch.line'), width: 70, render: (r) => r.line },
            { key: 'text', title: t('batch.text'), clip: true, render: (r) => r.text },
            { key: 'reason', title: t('batch.reason'), render: (r) => r.reason },
          ]}
        />
      )}
    </>
  )
}
