import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Plus, X } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { RelatedPerson } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { Dialog } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Field, Form } from '@/shared/ui/Form'
import { Button, Input, Select } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { QueryState } from '@/shared/ui/states'
import { findPeople, relate, relationsQuery, unrelate } from '../queries'
import css from './Related.module.css'

const ROLES = ['inviter', 'invitee', 'referrer', 'referral', 'household', 'colleague', 'other'] as const

/** Who has to do with a contact, and what they are to it. */
export function Related({ contact }: { contact: string }) {
  const { t } = useTranslation('care')
  const may = useCan('contact.write')
  const client = useQueryClient()
  const toast = useToast()
  const query = useQuery(relationsQuery(contact))
  const [adding, setAdding] = useState(false)
  const refresh = () => client.invalidateQueries({ queryKey: ['care', 'relations'] })
  const remove = async (r: RelatedPerson) => {
    try {
      await unrelate(contact, r.id)
    } catch (error) {
      toast.failed(error)
    }
    await refresh()
  }
  return (
    <Panel
      title={t('related.title')}
      extra={may && <Button size="small" type="text" aria-label={t('related.add')} icon={<Plus size={15} aria-hidden />} onClick={() => setAdding(true)} />}
    >
      <QueryState query={query} height={40}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="kp-muted">{t('related.none')}</p>
          ) : (
            <ul className={css.list}>
              {items.map((r) => (
                <li key={r.id}>
                  <small>{t(`related.role.${r.role}`)}</small>
                  <span>
                    {r.contact ? <Link to={`/contacts/${r.contact.id}`}>{r.contact.name}</Link> : <span className="kp-muted">{t('outside')}</span>}
                    {r.note && <i>{r.note}</i>}
                  </span>
                  {may && <Button size="small" type="text" aria-label={t('related.remove', { name: r.contact?.name ?? '' })} icon={<X size={14} aria-hidden />} onClick={() => void remove(r)} />}
                </li>
              ))}
            </ul>
          )
        }
      </QueryState>
      {adding && <AddDialog contact={contact} onClose={() => setAdding(false)} onSaved={refresh} />}
    </Panel>
  )
}

interface Values {
  contact: string
  role: RelatedPerson['role']
  note: string
}

function AddDialog({ contact, onClose, onSaved }: { contact: string; onClose: () => void; onSaved: () => Promise<unknown> }) {
  const { t } = useTranslation('care')
  const toast = useToast()
  return (
    <Dialog open onClose={onClose} title={t('related.add')}>
      <Form<Values>
        initial={{ role: 'household', note: '' } as Values}
        submit={t('related.save')}
        onSubmit={async (v) => {
          await relate(contact, { contact: v.contact, role: v.role, note: (v.note ?? '').trim() })
          toast.done(t('related.saved'))
          onClose()
          await onSaved()
        }}
      >
        <Field name="contact" label={t('related.who')} rules={[{ required: true, message: t('related.whoNeeded') }]}>
          <PersonSelect not={contact} />
        </Field>
        <Field name="role" label={t('related.as')} required>
          <Select options={ROLES.map((value) => ({ value, label: t(`related.role.${value}`) }))} />
        </Field>
        <Field name="note" label={t('related.note')}>
          <Input maxLength={200} />
        </Field>
      </Form>
    </Dialog>
  )
}

/** Finds a person by name, pinyin, phone number or id while one types. */
function PersonSelect({ not, value, onChange }: { not: string; value?: string; onChange?: (id: string) => void }) {
  const { t } = useTranslation('care')
  const [typed, setTyped] = useState('')
  const [asked, setAsked] = useState('')
  useEffect(() => {
    const later = setTimeout(() => setAsked(typed.trim()), 250)
    return () => clearTimeout(later)
  }, [typed])
  const found = useQuery({ ...findPeople(asked), enabled: asked !== '' })
  const people = (found.data?.items ?? []).filter((c) => c.id !== not)
  return (
    <Select
      autoFocus
      aria-label={t('related.who')}
      placeholder={t('related.search')}
      value={value}
      onChange={onChange}
      loading={found.isFetching}
      showSearch={{ filterOption: false, onSearch: setTyped }}
      notFoundContent={asked === '' ? null : t('related.nobody')}
      options={people.map((c) => ({ value: c.id, label: [c.name, c.phone, c.city].filter(Boolean).join(' · ') }))}
    />
  )
}
