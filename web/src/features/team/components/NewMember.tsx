import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { NewUser } from '@/shared/api/types'
import { SecretOnce } from '@/shared/ui/copy'
import { Dialog } from '@/shared/ui/Drawer'
import { Field, Form } from '@/shared/ui/Form'
import { Button, Input, Select } from '@/shared/ui/kit'
import { createUser } from '../queries'

interface Props {
  open: boolean
  onClose: () => void
  roles: { value: string; label: string }[]
  onMade: () => Promise<void>
}

/** Adds a member. The password is made by the server and shown once, so nobody has to invent one. */
export function NewMember({ open, onClose, roles, onMade }: Props) {
  const { t } = useTranslation('team')
  const [made, setMade] = useState<NewUser>()
  const close = () => {
    setMade(undefined)
    onClose()
  }
  return (
    <Dialog open={open} onClose={close} title={made ? t('add.made', { name: made.user.name }) : t('add.title')} closable={!made} width={made ? 560 : 460}>
      {made ? (
        <div className="kp-stack">
          <p>{t('add.tell', { email: made.user.email })}</p>
          <SecretOnce secret={made.password ?? ''} label={t('password')} />
          <div className="kp-row">
            <Button type="primary" onClick={close}>
              {t('add.close')}
            </Button>
          </div>
        </div>
      ) : (
        <Form<{ name: string; email: string; role: string }>
          submit={t('add.ok')}
          extra={<Button onClick={close}>{t('cancel')}</Button>}
          onSubmit={async (v) => {
            setMade(await createUser({ name: v.name.trim(), email: v.email.trim(), role: v.role }))
            await onMade()
          }}
        >
          <Field name="name" label={t('column.name')} rules={[{ required: true, whitespace: true, message: t('add.nameNeeded') }]}>
            <Input maxLength={60} autoFocus />
          </Field>
          <Field name="email" label={t('add.email')} rules={[{ required: true, type: 'email', message: t('add.emailNeeded') }]}>
            <Input type="email" maxLength={120} autoComplete="off" />
          </Field>
          <Field name="role" label={t('column.role')} rules={[{ required: true, message: t('add.roleNeeded') }]}>
            <Select options={roles} />
          </Field>
        </Form>
      )}
    </Dialog>
  )
}
