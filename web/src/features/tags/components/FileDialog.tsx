import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { TagGroup, TagWork, Upload } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { Dialog } from '@/shared/ui/Drawer'
import { Alert, Button, Select } from '@/shared/ui/kit'
import { useErrorText } from '@/shared/ui/states'
import { UploadDrop } from '@/shared/ui/UploadDrop'
import { bulkTags, fileQuery, sendFile } from '../queries'
import css from './tags.module.css'
import { useTagWork } from './useTagWork'

/** Tags the people that a file names. */
export function FileDialog({ groups, onClose, onStart }: { groups: TagGroup[]; onClose: () => void; onStart: () => void }) {
  const { t } = useTranslation('tags')
  const [file, setFile] = useState<Upload>()
  return (
    <Dialog open onClose={onClose} title={t('file.title')} width={520}>
      <div className={css.stack}>
        {file ? (
          <Mapping file={file} groups={groups} onStart={onStart} />
        ) : (
          <UploadDrop<Upload> title={t('file.drop')} hint={t('file.hint')} accept=".csv,.xlsx,.txt,.gz" upload={sendFile} onDone={setFile} />
        )}
      </div>
    </Dialog>
  )
}

function Mapping({ file, groups, onStart }: { file: Upload; groups: TagGroup[]; onStart: () => void }) {
  const { t } = useTranslation('tags')
  const say = useErrorText()
  const { refresh } = useTagWork()
  const mayManage = useCan('tag.write')
  const [column, setColumn] = useState(file.columns[0]?.name ?? '')
  const [own, setOwn] = useState<{ tagColumn?: string; timeColumn?: string; byColumn?: string }>({})
  const [add, setAdd] = useState<string[]>([])
  const [failure, setFailure] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const work: TagWork = { file: { uploadId: file.id, kind: 'auto', column, ...own }, add }
  const ready = add.length > 0 || own.tagColumn !== undefined
  const { data: p, error } = useQuery({ ...fileQuery(work, ready), retry: false })
  const run = async () => {
    setBusy(true)
    try {
      await bulkTags(work)
      await refresh()
      onStart()
    } catch (e) {
      setFailure(e)
      setBusy(false)
    }
  }
  const columns = file.columns.map((c) => ({ value: c.name, label: c.samples[0] ? `${c.name} (${c.samples[0]})` : c.name }))
  const choose = (key: 'tagColumn' | 'timeColumn' | 'byColumn', label: string) => (
    <Select allowClear value={own[key]} onChange={(v: string | undefined) => setOwn({ ...own, [key]: v })} options={columns} placeholder={label} aria-label={label} />
  )
  const wrong = failure ?? error
  return (
    <>
      <label className={css.stack}>
        {t('file.column')}
        <Select value={column} onChange={setColumn} options={columns} aria-label={t('file.column')} />
      </label>
      <Select
        mode="multiple"
        value={add}
        onChange={setAdd}
        placeholder={t('file.add')}
        aria-label={t('file.add')}
        showSearch={{ optionFilterProp: 'search' }}
        options={groups.map((g) => ({ label: g.name, options: g.tags.filter((x) => !x.archivedAt).map((x) => ({ value: x.id, label: x.name, search: `${x.name} ${x.search}` })) }))}
      />
      {mayManage && choose('tagColumn', t('file.tagColumn'))}
      {choose('timeColumn', t('file.timeColumn'))}
      {choose('byColumn', t('file.byColumn'))}
      {p && ready && (
        <div role="status">
          <b>{t('file.changing', { count: p.changing, total: p.total })}</b> {p.missing > 0 && t('file.missing', { count: p.missing })} {p.partly && t('file.partly')}
        </div>
      )}
      {wrong ? <Alert type="error" showIcon role="alert" title={say(wrong).detail} /> : null}
      <div className={css.end}>
        <Button type="primary" disabled={!p || !ready} loading={busy} onClick={() => void run()}>
          {t('file.ok')}
        </Button>
      </div>
    </>
  )
}
