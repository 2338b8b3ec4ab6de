import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Pencil } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Friendship } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { Chip } from '@/shared/ui/chips'
import { useToast } from '@/shared/ui/feedback'
import { Button, Input } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { QueryState } from '@/shared/ui/states'
import { DateTime } from '@/shared/ui/values'
import { contactFriendsQuery, setRemark } from '../queries'
import css from './staff.module.css'

/** Whose friend a contact is or was. Where nobody is, the panel says so. */
export function ContactFriends({ contact }: { contact: string }) {
  const { t } = useTranslation('staff')
  const query = useQuery(contactFriendsQuery(contact))
  return (
    <Panel title={t('contact.title')}>
      <QueryState query={query} height={40}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="kp-muted">{t('contact.none')}</p>
          ) : (
            <ul className={css.friends} aria-label={t('contact.title')}>
              {items.map((f) => (
                <li key={`${f.account} ${f.staff} ${f.customer}`}>
                  <One contact={contact} friend={f} />
                </li>
              ))}
            </ul>
          )
        }
      </QueryState>
    </Panel>
  )
}

function One({ contact, friend: f }: { contact: string; friend: Friendship }) {
  const { t } = useTranslation('staff')
  const may = useCan('contact.write')
  const [editing, setEditing] = useState(false)
  const over = f.state !== 'friend'
  return (
    <>
      <span className={over ? `kp-row wrap ${css.over}` : 'kp-row wrap'}>
        <b>{f.staffName}</b>
        {over && <Chip tone={f.state === 'deleted' ? 'bad' : 'neutral'}>{f.movedTo ? t('contact.movedTo', { name: f.movedTo }) : t(`friends.${f.state}`)}</Chip>}
        {f.staffLeft && <Chip>{t('state.left')}</Chip>}
        <span className="kp-grow" />
        {may && !over && !editing && <Button type="text" size="small" aria-label={t('contact.editRemark', { name: f.staffName })} icon={<Pencil size={13} aria-hidden />} onClick={() => setEditing(true)} />}
      </span>
      <small>
        {t('contact.since')} <DateTime at={f.since} dateOnly />
        {f.endedAt && (
          <>
            {' · '}
            {t('contact.ended')} <DateTime at={f.endedAt} />
          </>
        )}
        {f.source && ` · ${f.source}`}
      </small>
      {editing ? <Edit contact={contact} friend={f} onEnd={() => setEditing(false)} /> : (f.remark || f.note) && <small>{[f.remark, f.note].filter(Boolean).join(' · ')}</small>}
    </>
  )
}

function Edit({ contact, friend: f, onEnd }: { contact: string; friend: Friendship; onEnd: () => void }) {
  const { t } = useTranslation(['staff', 'common'])
  const client = useQueryClient()
  const toast = useToast()
  const [remark, setText] = useState(f.remark ?? '')
  const [note, setNote] = useState(f.note ?? '')
  const save = useMutation({
    mutationFn: () => setRemark(contact, f, remark.trim(), note.trim()),
    onSuccess: (list) => {
      client.setQueryData(contactFriendsQuery(contact).queryKey, list)
      toast.done(t('staff:contact.saved'))
      onEnd()
    },
    onError: (error) => toast.failed(error),
  })
  return (
    <form
      className="kp-stack"
      onSubmit={(e) => {
        e.preventDefault()
        save.mutate()
      }}
    >
      <Input autoFocus maxLength={20} aria-label={t('staff:contact.remark')} placeholder={t('staff:contact.remark')} value={remark} onChange={(e) => setText(e.target.value)} />
      <Input.TextArea rows={2} maxLength={150} aria-label={t('staff:contact.note')} placeholder={t('staff:contact.note')} value={note} onChange={(e) => setNote(e.target.value)} />
      <div className="kp-row">
        <Button size="small" type="primary" htmlType="submit" loading={save.isPending}>
          {t('common:action.save')}
        </Button>
        <Button size="small" onClick={onEnd}>
          {t('common:action.cancel')}
        </Button>
      </div>
    </form>
  )
}
