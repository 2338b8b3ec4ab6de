import { useTranslation } from 'react-i18next'
import type { Tag } from '@/shared/api/types'
import { Drawer } from '@/shared/ui/Drawer'
import { Field, Form } from '@/shared/ui/Form'
import { Input, Switch } from '@/shared/ui/kit'
import { changeTag } from '../queries'
import { useTagWork } from './useTagWork'

interface Values {
  name: string
  color: string
  description: string
  archived: boolean
}

/** Renames, recolours, describes or archives a tag. */
export function TagForm({ tag, onClose }: { tag: Tag; onClose: () => void }) {
  const { t } = useTranslation(['tags', 'common'])
  const { refresh } = useTagWork()
  return (
    <Drawer open onClose={onClose} title={t('tag.editOf', { name: tag.name })} width={420}>
      <Form<Values>
        submit={t('common:action.save')}
        initial={{ name: tag.name, color: tag.color, description: tag.description ?? '', archived: tag.archivedAt !== undefined }}
        onSubmit={async (v) => {
          await changeTag(tag.id, v)
          await refresh()
          onClose()
        }}
      >
        <Field name="name" label={t('field.name')} rules={[{ required: true, whitespace: true, message: t('field.nameNeeded') }]}>
          <Input maxLength={30} autoComplete="off" />
        </Field>
        <Field name="color" label={t('field.color')}>
          <Input type="color" style={{ width: 72 }} />
        </Field>
        <Field name="description" label={t('field.description')}>
          <Input.TextArea maxLength={200} rows={3} />
        </Field>
        <Field name="archived" label={t('tag.archive')} valuePropName="checked" extra={t('tag.archiveHint')}>
          <Switch />
        </Field>
      </Form>
    </Drawer>
  )
}
