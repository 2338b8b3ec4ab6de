import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Download } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '@/shared/api/errors'
import { Drawer } from '@/shared/ui/Drawer'
import { Grid } from '@/shared/ui/Grid'
import { Alert, Button } from '@/shared/ui/kit'
import { useErrorText } from '@/shared/ui/states'
import { UploadDrop } from '@/shared/ui/UploadDrop'
import { exportURL, importReplies, REPLIES_KEY, sendTable } from '../queries'

/** Takes keyword rules from a table, after a look at what it would do, and gives them as one. */
export function FileDrawer({ account, onClose }: { account: string; onClose: () => void }) {
  const { t } = useTranslation('replies')
  const client = useQueryClient()
  const say = useErrorText()
  const [upload, setUpload] = useState<string>()
  const look = useMutation({ mutationFn: (id: string) => importReplies(account, id, true) })
  const take = useMutation({ mutationFn: (id: string) => importReplies(account, id, false), onSuccess: () => client.invalidateQueries({ queryKey: REPLIES_KEY }) })
  const error = take.error ?? look.error
  const seen = take.data ?? look.data
  return (
    <Drawer open onClose={onClose} title={t('file.title')} width={640} extra={<Button size="small" icon={<Download size={14} aria-hidden />} href={exportURL(account)}>{t('file.export')}</Button>}>
      <div className="kp-stack">
        <p className="kp-muted">{t('file.desc')}</p>
        {!take.data && (
          <UploadDrop
            title={t('file.drop')}
            hint={t('file.hint')}
            accept=".csv,.xlsx"
            upload={sendTable}
            onDone={(up) => {
              setUpload(up.id)
              look.mutate(up.id)
            }}
          />
        )}
        {!!error && <Alert type="error" showIcon role="alert" title={error instanceof ApiError && error.fields[0] ? error.fields[0].detail : say(error).detail} />}
        {seen && (
          <Alert
            type={take.data ? 'success' : seen.rejected > 0 ? 'warning' : 'info'}
            showIcon
            role="status"
            title={t(take.data ? 'file.done' : 'file.would', { rows: seen.rows, fresh: seen.new, changed: seen.changed, rejected: seen.rejected })}
          />
        )}
        {seen && (seen.rejects ?? []).length > 0 && (
          <Grid
            label={t('file.rejected')}
            rows={seen.rejects ?? []}
            rowKey={(r) => String(r.line)}
            columns={[
              { key: 'line', title: t('file.line'), width: 70, render: (r) => r.line },
              { key: 'text', title: t('form.words'), clip: true, render: (r) => r.text },
              { key: 'reason', title: t('file.reason'), render: (r) => r.reason },
            ]}
          />
        )}
        {look.data && upload && !take.data && (
          <Button type="primary" disabled={look.data.good === 0} loading={take.isPending} onClick={() => take.mutate(upload)}>
            {t('file.take', { count: look.data.good })}
          </Button>
        )}
      </div>
    </Drawer>
  )
}
