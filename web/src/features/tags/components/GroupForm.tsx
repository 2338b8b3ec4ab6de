import { useTranslation } from 'react-i18next'
import type { TagGroup } from '@/shared/api/types'
import { Dialog } from '@/shared/ui/Drawer'
import { Field, Form } from '@/shared/ui/Form'
import { Checkbox, Input, Select } from '@/shared/ui/kit'
import { changeGroup, createGroup } from '../queries'
import css from './tags.module.css'
import { useTagWork } from './useTagWork'

const KINDS = ['stage', 'source', 'attribute', 'campaign', 'other'] as const
interface Values {
  name: string
  kind: TagGroup['kind']
  color: string
  description: string
  exclusive: boolean
}

/** Makes a group, or changes one. */
export function GroupForm({ group, onClose }: { group?: TagGroup; onClose: () => void }) {
  const { t } = useTranslation(['tags', 'common'])
  const { act, refresh } = useTagWork()
  const save = async (v: Values) => {
    if (!group) {
      await createGroup(v)
      await refresh()
    } else if (v.exclusive && !group.exclusive) await act((settle) => changeGroup(group.id, { ...v, settle }))
    else {
      await changeGroup(group.id, v)
      await refresh()
    }
    onClose()
  }
  return (
    <Dialog open onClose={onClose} title={group ? t('group.edit') : t('group.new')}>
      <div className={css.stack}>
        <Form<Values>
          submit={t('common:action.save')}
          initial={{ name: group?.name ?? '', kind: group?.kind ?? 'other', color: group?.color ?? '#2f7d6b', description: group?.description ?? '', exclusive: group?.exclusive ?? false }}
          onSubmit={save}
        >
          <Field name="name" label={t('field.name')} rules={[{ required: true, whitespace: true, message: t('field.nameNeeded') }]}>
            <Input maxLength={30} autoFocus autoComplete="off" />
          </Field>
          <Field name="kind" label={t('group.kind')}>
            <Select options={KINDS.map((k) => ({ value: k, label: t(`kind.${k}`) }))} />
          </Field>
          <Field name="color" label={t('field.color')}>
            <Input type="color" style={{ width: 72 }} />
          </Field>
          <Field name="description" label={t('field.description')}>
            <Input.TextArea maxLength={200} rows={2} />
          </Field>
          <Field name="exclusive" valuePropName="checked" extra={t('group.exclusiveHint')}>
            <Checkbox>{t('group.exclusive')}</Checkbox>
          </Field>
        </Form>
      </div>
    </Dialog>
  )
}
