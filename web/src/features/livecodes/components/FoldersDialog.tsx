import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Plus, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Dialog } from '@/shared/ui/Drawer'
import { useConfirm, useToast } from '@/shared/ui/feedback'
import { Button, Input } from '@/shared/ui/kit'
import { QueryState } from '@/shared/ui/states'
import { createFolder, deleteFolder, foldersQuery, renameFolder } from '../queries'

/** Makes, names and deletes folders. */
export function FoldersDialog({ open, onClose, onChanged }: { open: boolean; onClose: () => void; onChanged: () => void }) {
  const { t } = useTranslation('livecodes')
  const toast = useToast()
  const confirm = useConfirm()
  const client = useQueryClient()
  const query = useQuery({ ...foldersQuery(), enabled: open })
  const [name, setName] = useState('')
  const run = async (work: Promise<unknown>) => {
    try {
      await work
      await client.invalidateQueries({ queryKey: foldersQuery().queryKey })
      onChanged()
      return true
    } catch (error) {
      toast.failed(error)
      return false
    }
  }
  return (
    <Dialog open={open} onClose={onClose} title={t('folders.title')}>
      <QueryState query={query} height={120}>
        {({ items }) => (
          <div className="kp-stack">
            {items.map((f) => (
              <div key={f.id} className="kp-row">
                <Input
                  key={f.name}
                  defaultValue={f.name}
                  aria-label={t('folders.name')}
                  maxLength={40}
                  onBlur={(e) => e.target.value.trim() !== f.name && void run(renameFolder(f.id, e.target.value))}
                  onPressEnter={(e) => e.currentTarget.blur()}
                />
                <Button
                  type="text"
                  aria-label={t('folders.delete', { name: f.name })}
                  icon={<Trash2 size={15} aria-hidden />}
                  onClick={() =>
                    void confirm({ title: t('folders.delete', { name: f.name }), body: t('folders.deleteBody', { count: f.codes }), ok: t('folders.deleteOk'), danger: true, run: () => deleteFolder(f.id) }).then(
                      (done) => done && run(Promise.resolve()),
                    )
                  }
                />
              </div>
            ))}
            <div className="kp-row">
              <Input value={name} onChange={(e) => setName(e.target.value)} placeholder={t('folders.new')} aria-label={t('folders.new')} maxLength={40} />
              <Button
                icon={<Plus size={14} aria-hidden />}
                disabled={name.trim() === ''}
                onClick={() =>
                  void run(createFolder(name)).then((ok) => {
                    if (ok) setName('')
                  })
                }
              >
                {t('folders.add')}
              </Button>
            </div>
          </div>
        )}
      </QueryState>
    </Dialog>
  )
}
