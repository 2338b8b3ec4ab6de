import { useTranslation } from 'react-i18next'
import type { Department, User } from '@/shared/api/types'
import { Drawer } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Field, Form } from '@/shared/ui/Form'
import { Input, Select } from '@/shared/ui/kit'
import { createDepartment, updateDepartment, updateUser } from '../queries'
import { depths, places } from '../tree'

interface Props {
  department: Department | 'new' | undefined
  all: Department[]
  users: User[]
  onClose: () => void
  onSaved: () => Promise<void>
}

interface Values {
  name: string
  parent: string
  lead: string
  members: string[]
}

/** A department: where it stands, who leads it and who is in it. */
export function DepartmentDrawer({ department, all, users, onClose, onSaved }: Props) {
  const { t } = useTranslation('team')
  const toast = useToast()
  const current = department === 'new' ? undefined : department
  const depth = depths(all)
  const people = users.map((u) => ({ value: u.id, label: u.name }))
  const save = async (v: Values) => {
    const body = { name: v.name.trim(), parent: v.parent, lead: v.lead }
    const saved = current ? await updateDepartment(current.id, body) : await createDepartment(body)
    for (const u of users) {
      const is = u.departments.includes(saved.id)
      if (is !== v.members.includes(u.id)) await updateUser(u.id, { departments: is ? u.departments.filter((d) => d !== saved.id) : [...u.departments, saved.id] })
    }
    toast.done(t('department.saved'))
    await onSaved()
    onClose()
  }
  return (
    <Drawer open={department !== undefined} onClose={onClose} title={current ? current.name : t('department.new')} width={480}>
      <Form<Values>
        key={current?.id ?? 'new'}
        initial={{ name: current?.name ?? '', parent: current?.parent ?? '', lead: current?.lead ?? '', members: current?.members ?? [] }}
        submit={t('role.save')}
        onSubmit={save}
      >
        <Field name="name" label={t('department.name')} rules={[{ required: true, whitespace: true, message: t('add.nameNeeded') }]}>
          <Input maxLength={60} />
        </Field>
        <Field name="parent" label={t('department.parent')}>
          <Select
            options={[
              { value: '', label: t('department.top') },
              ...places(all, current?.id).map((d) => ({ value: d.id, label: '\u2003'.repeat(depth.get(d.id) ?? 0) + d.name })),
            ]}
          />
        </Field>
        <Field name="lead" label={t('department.lead')}>
          <Select showSearch optionFilterProp="label" options={[{ value: '', label: t('department.noLead') }, ...people]} />
        </Field>
        <Field name="members" label={t('role.users')}>
          <Select mode="multiple" optionFilterProp="label" options={people} />
        </Field>
      </Form>
    </Drawer>
  )
}
