import { useTranslation } from 'react-i18next'
import type { Permission, Role } from '@/shared/api/types'
import { codeText } from '@/shared/i18n/code'
import { useCan } from '@/shared/lib/session'
import { Drawer } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Field, Form } from '@/shared/ui/Form'
import { Checkbox, Input, Select } from '@/shared/ui/kit'
import { createRole, updateRole } from '../queries'

interface Props {
  role: Role | 'new' | undefined
  all: Permission[]
  onClose: () => void
  onSaved: () => Promise<void>
}

const SCOPES = ['all', 'department_tree', 'department', 'mine'] as const

/** A role and its permissions, by group. Built-in ones are for reading. */
export function RoleDrawer({ role, all, onClose, onSaved }: Props) {
  const { t } = useTranslation('team')
  const may = useCan('team.write')
  const toast = useToast()
  const current = role === 'new' ? undefined : role
  const fixed = !may || current?.builtin === true
  const groups = [...new Set(all.map((p) => p.group))]
  return (
    <Drawer open={role !== undefined} onClose={onClose} title={current ? current.name : t('role.new')} width={520}>
      {fixed && current?.builtin && <p className="kp-muted">{t('role.fixed')}</p>}
      <Form<{ name: string; permissions: string[]; scope: Role['scope']; unowned: boolean }>
        key={current?.id ?? 'new'}
        disabled={fixed}
        initial={{ name: current?.name ?? '', permissions: current?.permissions ?? [], scope: current?.scope ?? 'mine', unowned: current?.unowned ?? false }}
        submit={t('role.save')}
        onSubmit={async (v) => {
          const body = { name: v.name.trim(), permissions: v.permissions, scope: v.scope, unowned: v.unowned }
          if (current) await updateRole(current.id, body)
          else await createRole(body)
          toast.done(t('role.saved'))
          await onSaved()
          onClose()
        }}
      >
        <Field name="name" label={t('role.name')} rules={[{ required: true, whitespace: true, message: t('add.nameNeeded') }]}>
          <Input maxLength={60} />
        </Field>
        <Field name="scope" label={t('scope.label')} extra={t('scope.help')}>
          <Select options={SCOPES.map((value) => ({ value, label: t(`scope.${value}`) }))} />
        </Field>
        <Field name="unowned" valuePropName="checked">
          <Checkbox>{t('scope.unowned')}</Checkbox>
        </Field>
        <Field name="permissions" label={t('role.permissions')}>
          <Checkbox.Group className="kp-stack">
            {groups.map((g) => (
              <fieldset key={g} className="kp-fieldset">
                <legend>{codeText('team', 'group', g)}</legend>
                <div className="kp-row wrap">
                  {all
                    .filter((p) => p.group === g)
                    .map((p) => (
                      <Checkbox key={p.id} value={p.id}>
                        {codeText('team', 'permission', p.id.replace('.', '_'))}
                      </Checkbox>
                    ))}
                </div>
              </fieldset>
            ))}
          </Checkbox.Group>
        </Field>
      </Form>
    </Drawer>
  )
}
