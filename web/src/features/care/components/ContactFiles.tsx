import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Download, Eye, FileText, Paperclip, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { wholeList } from '@/shared/api/cursor'
import type { ContactFile } from '@/shared/api/types'
import { uploadFile } from '@/shared/api/upload'
import { formatBytes } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { Dialog } from '@/shared/ui/Drawer'
import { useConfirm, useToast } from '@/shared/ui/feedback'
import { Button } from '@/shared/ui/kit'
import { Empty } from '@/shared/ui/states'
import { UploadDrop } from '@/shared/ui/UploadDrop'
import { DateTime } from '@/shared/ui/values'
import { contactFiles, deleteFile, filePath } from '../queries'
import css from './ContactFiles.module.css'

/** What the server takes; it looks into each file, too. */
const TAKEN = '.amr,.csv,.doc,.docx,.gif,.jpeg,.jpg,.m4a,.mp3,.pdf,.png,.pptx,.txt,.wav,.webp,.xls,.xlsx'

/** The files about a contact, for the contact's page. Opening one is written down. */
export function ContactFiles({ contact }: { contact: string }) {
  const { t } = useTranslation('care')
  const { lang } = usePrefs()
  const mayWrite = useCan('contact.write')
  const mayOpen = useCan('contact.unmask')
  const client = useQueryClient()
  const confirm = useConfirm()
  const toast = useToast()
  const query = useQuery(contactFiles(contact))
  const [shown, setShown] = useState<ContactFile>()
  const refresh = () => client.invalidateQueries({ queryKey: contactFiles(contact).queryKey })
  const remove = async (f: ContactFile) => {
    const done = await confirm({ title: t('files.deleteTitle', { name: f.name }), body: t('files.deleteBody'), ok: t('files.delete'), danger: true, run: () => deleteFile(contact, f.id) })
    if (done) await refresh()
  }
  const columns: Column<ContactFile>[] = [
    {
      key: 'name',
      title: t('files.name'),
      render: (f) => (
        <span className={css.name}>
          <FileText size={15} aria-hidden />
          {mayOpen ? (
            <a href={filePath(contact, f.id)} download>
              {f.name}
            </a>
          ) : (
            f.name
          )}
        </span>
      ),
    },
    { key: 'size', title: t('files.size'), align: 'right', render: (f) => formatBytes(f.size, lang) },
    { key: 'by', title: t('files.by'), render: (f) => f.by.name },
    { key: 'at', title: t('files.at'), render: (f) => <DateTime at={f.createdAt} /> },
    {
      key: 'do',
      title: '',
      align: 'right',
      render: (f) => (
        <span className="kp-row">
          {mayOpen && f.picture && <Button size="small" type="text" aria-label={t('files.show', { name: f.name })} icon={<Eye size={14} aria-hidden />} onClick={() => setShown(f)} />}
          {mayOpen && <Button size="small" type="text" aria-label={t('files.download', { name: f.name })} icon={<Download size={14} aria-hidden />} href={filePath(contact, f.id)} />}
          {mayWrite && <Button size="small" type="text" aria-label={t('files.deleteOne', { name: f.name })} icon={<Trash2 size={14} aria-hidden />} onClick={() => void remove(f)} />}
        </span>
      ),
    },
  ]
  return (
    <>
      {mayWrite && (
        <div className={css.drop}>
          <UploadDrop<ContactFile>
            title={t('files.drop')}
            hint={t('files.hint')}
            accept={TAKEN}
            upload={(file, onProgress, signal) => uploadFile<ContactFile>(`/api/contacts/${contact}/files?name=${encodeURIComponent(file.name)}`, file, { onProgress, signal })}
            onDone={() => {
              toast.done(t('files.added'))
              void refresh()
            }}
          />
        </div>
      )}
      <DataTable
        label={t('files.title')}
        list={wholeList(query)}
        columns={columns}
        rowKey={(f) => f.id}
        empty={<Empty icon={<Paperclip size={26} strokeWidth={1.5} aria-hidden />} title={t('files.none')} desc={t(mayOpen ? 'files.noneDesc' : 'files.denied')} />}
      />
      <Dialog open={shown !== undefined} onClose={() => setShown(undefined)} title={shown?.name ?? ''} width={720}>
        {shown && <img className={css.picture} src={`${filePath(contact, shown.id)}?show=1`} alt={shown.name} />}
      </Dialog>
    </>
  )
}
