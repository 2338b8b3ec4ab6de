import { useQueryClient } from '@tanstack/react-query'
import { StickyNote, Trash2 } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { useCursorList } from '@/shared/api/cursor'
import type { Note } from '@/shared/api/types'
import { useCan, useMe } from '@/shared/lib/session'
import { useConfirm, useToast } from '@/shared/ui/feedback'
import { Field, Form, useForm } from '@/shared/ui/Form'
import { Button, Input, Tooltip } from '@/shared/ui/kit'
import { Empty, ErrorState, Loading } from '@/shared/ui/states'
import { NameMark, TimeAgo } from '@/shared/ui/values'
import { addNote, deleteNote, notesPage } from '../queries'
import css from './Notes.module.css'

/** What colleagues wrote down about a contact. */
export function Notes({ id }: { id: string }) {
  const { t } = useTranslation('contacts')
  const mayWrite = useCan('contact.write')
  const list = useCursorList(notesPage(id))
  const client = useQueryClient()
  const refresh = () => client.invalidateQueries({ queryKey: notesPage(id).queryKey })
  return (
    <div className={css.notes}>
      {mayWrite && <Write id={id} onDone={refresh} />}
      {list.error && list.items.length === 0 ? (
        <ErrorState error={list.error} onRetry={list.refetch} />
      ) : list.loading && list.items.length === 0 ? (
        <Loading height={160} />
      ) : list.items.length === 0 ? (
        <Empty icon={<StickyNote size={26} strokeWidth={1.5} aria-hidden />} title={t('notes.empty')} desc={mayWrite ? t('notes.emptyDesc') : undefined} />
      ) : (
        <ol className={css.list}>
          {list.items.map((n) => (
            <OneNote key={n.id} note={n} contact={id} onGone={refresh} />
          ))}
        </ol>
      )}
      {list.hasMore && (
        <Button loading={list.loadingMore} onClick={list.loadMore}>
          {t('timeline.more')}
        </Button>
      )}
    </div>
  )
}

function Write({ id, onDone }: { id: string; onDone: () => Promise<unknown> }) {
  const { t } = useTranslation('contacts')
  const [form] = useForm<{ text: string }>()
  return (
    <Form<{ text: string }>
      form={form}
      submit={t('notes.add')}
      onSubmit={async ({ text }) => {
        await addNote(id, text.trim())
        form.resetFields()
        await onDone()
      }}
    >
      <Field name="text" label={t('notes.label')} rules={[{ required: true, whitespace: true, message: t('notes.needed') }]}>
        <Input.TextArea autoSize={{ minRows: 2, maxRows: 8 }} maxLength={4000} placeholder={t('notes.placeholder')} />
      </Field>
    </Form>
  )
}

function OneNote({ note, contact, onGone }: { note: Note; contact: string; onGone: () => Promise<unknown> }) {
  const { t } = useTranslation(['contacts', 'common'])
  const me = useMe().user
  const mayWrite = useCan('contact.write')
  const confirm = useConfirm()
  const toast = useToast()
  const remove = async () => {
    const gone = await confirm({
      title: t('notes.deleteTitle'),
      body: <p className={css.quote}>{note.text}</p>,
      ok: t('notes.delete'),
      danger: true,
      run: () => deleteNote(contact, note.id),
    })
    if (!gone) return
    toast.done(t('notes.deleted'))
    await onGone()
  }
  return (
    <li className={css.note}>
      <NameMark name={note.author.name} size={28} />
      <div>
        <p className={css.by}>
          <b>{note.author.name}</b>
          <TimeAgo at={note.createdAt} />
          <span className="kp-grow" />
          {mayWrite && note.author.id === me.id && (
            <Tooltip title={t('notes.delete')}>
              <Button type="text" size="small" aria-label={t('notes.delete')} icon={<Trash2 size={14} aria-hidden />} onClick={() => void remove()} />
            </Tooltip>
          )}
        </p>
        <p className={css.text}>{note.text}</p>
      </div>
    </li>
  )
}
