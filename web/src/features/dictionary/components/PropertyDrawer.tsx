import { useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import type { DefState, PropertyDef } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { Drawer } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Field, Form } from '@/shared/ui/Form'
import { Input, Select, Switch } from '@/shared/ui/kit'
import { updateProperty, type PropertyInput } from '../queries'

const STATES: readonly DefState[] = ['learned', 'expected', 'hidden']
const TYPES = ['string', 'number', 'boolean', 'time', 'array', 'object'] as const
/** Kinds of value that can be a column of their own in the analytics store. */
const SCALARS: readonly string[] = ['string', 'number', 'boolean', 'time']

/** What is said about one property of an event. */
export function PropertyDrawer({ event, property, onClose }: { event: string; property: PropertyDef | undefined; onClose: () => void }) {
  const { t } = useTranslation('dictionary')
  const may = useCan('dictionary.write')
  const client = useQueryClient()
  const toast = useToast()
  return (
    <Drawer open={property !== undefined} onClose={onClose} title={property?.name ?? ''} width={480}>
      {property && (
        <Form<PropertyInput>
          key={property.name}
          disabled={!may}
          initial={{
            displayName: property.displayName,
            description: property.description,
            expectedType: TYPES.find((x) => x === property.expectedType),
            required: property.required,
            state: property.state,
            column: property.column,
          }}
          submit={t('save')}
          onSubmit={async (v) => {
            await updateProperty(event, property.name, { ...v, expectedType: v.expectedType ?? '' }) // nothing chosen takes the expectation away
            toast.done(t('saved'))
            await client.invalidateQueries({ queryKey: ['dictionary'] })
            onClose()
          }}
        >
          <Field name="displayName" label={t('field.displayName')}>
            <Input maxLength={120} />
          </Field>
          <Field name="description" label={t('field.description')}>
            <Input.TextArea rows={2} maxLength={1000} />
          </Field>
          <Field name="state" label={t('column.state')} extra={t('field.propertyStateHint')}>
            <Select options={STATES.map((s) => ({ value: s, label: t(`state.${s}`) }))} />
          </Field>
          <Field name="expectedType" label={t('field.expectedType')}>
            <Select allowClear options={TYPES.map((x) => ({ value: x, label: t(`type.${x}`) }))} />
          </Field>
          <Field name="required" label={t('field.required')} valuePropName="checked">
            <Switch />
          </Field>
          <Field name="column" label={t('field.column')} extra={t('field.columnHint')} valuePropName="checked">
            <Switch disabled={property.column || !property.types.some((x) => SCALARS.includes(x.type))} />
          </Field>
        </Form>
      )}
    </Drawer>
  )
}
