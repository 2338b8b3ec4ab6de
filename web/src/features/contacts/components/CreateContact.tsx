import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { idempotencyKey } from '@/shared/api/client'
import { attributeName, attributesQuery } from '@/shared/lib/attributes'
import { usePrefs } from '@/shared/lib/prefs'
import { AttributeInput } from '@/shared/ui/AttributeInput'
import { Drawer } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Field, Form } from '@/shared/ui/Form'
import { Input } from '@/shared/ui/kit'
import { CONTACTS_KEY, createContact } from '../queries'
import { TagSelect } from './TagSelect'

interface Values {
  name: string
  phone?: string
  email?: string
  memberNo?: string
  externalId?: string
  city?: string
  tags?: string[]
  attributes?: Record<string, unknown>
}

/** Empty texts are not sent: the server would take them as values. */
const filled = (text: string | undefined) => text?.trim() || undefined

/** The drawer that makes a contact by hand and then opens it. */
export function CreateContact({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useTranslation('contacts')
  return (
    <Drawer open={open} onClose={onClose} title={t('create.title')} width={460}>
      <CreateForm onClose={onClose} />
    </Drawer>
  )
}

function CreateForm({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation(['contacts', 'common'])
  const [key] = useState(idempotencyKey)
  const client = useQueryClient()
  const toast = useToast()
  const go = useNavigate()
  const { lang } = usePrefs()
  const required = useQuery(attributesQuery()).data?.items.filter((a) => a.required && !a.archived && a.default === undefined) ?? []
  const create = async (v: Values) => {
    const city = filled(v.city)
    const attributes = { ...v.attributes, ...(city ? { city } : {}) }
    const contact = await createContact(
      {
        name: v.name.trim(),
        phone: filled(v.phone),
        email: filled(v.email),
        memberNo: filled(v.memberNo),
        externalId: filled(v.externalId),
        attributes: Object.keys(attributes).length > 0 ? attributes : undefined,
        tags: v.tags?.length ? v.tags : undefined,
      },
      key,
    )
    void client.invalidateQueries({ queryKey: CONTACTS_KEY })
    toast.done(t('create.done', { name: contact.name }))
    onClose()
    void go(`/contacts/${contact.id}`)
  }
  return (
    <Form<Values> submit={t('create.submit')} onSubmit={create}>
      <p className="kp-muted kp-dialog-lead">{t('create.lead')}</p>
      <Field name="name" label={t('col.name')} rules={[{ required: true, whitespace: true, message: t('create.nameNeeded') }]}>
        <Input maxLength={100} autoFocus autoComplete="off" />
      </Field>
      <Field name="phone" label={t('create.phone')}>
        <Input type="tel" maxLength={32} autoComplete="off" placeholder={t('create.phoneExample')} />
      </Field>
      <Field name="email" label={t('create.email')} rules={[{ type: 'email', message: t('create.emailWrong') }]}>
        <Input type="email" maxLength={254} autoComplete="off" />
      </Field>
      <Field name="memberNo" label={t('create.memberNo')}>
        <Input maxLength={128} autoComplete="off" />
      </Field>
      <Field name="externalId" label={t('create.externalId')} extra={t('create.externalIdHint')}>
        <Input maxLength={128} autoComplete="off" />
      </Field>
      <Field name="city" label={t('col.city')}>
        <Input maxLength={64} autoComplete="off" />
      </Field>
      {required.map((a) => (
        <Field key={a.key} name={['attributes', a.key]} label={attributeName(a, lang)} rules={[{ required: true, message: t('create.attributeNeeded') }]}>
          <AttributeInput of={a} />
        </Field>
      ))}
      <Field name="tags" label={t('col.tags')}>
        <TagSelect />
      </Field>
    </Form>
  )
}
