import { useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import type { Channel } from '@/shared/api/types'
import { minorUnits } from '@/shared/lib/format'
import { addDays, type Day } from '@/shared/lib/time'
import { Dialog } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Field, Form } from '@/shared/ui/Form'
import { Checkbox, Input, Select } from '@/shared/ui/kit'
import { readAmount } from '../costs'
import { spreadCost } from '../queries'

interface Values {
  channel: string
  from: string
  to: string
  amount: string
  add: boolean
}

/** Shares a sum out over days evenly. */
export function SpreadDialog({ channels, currency, today, onClose }: { channels: Channel[]; currency: string; today: Day; onClose: () => void }) {
  const { t } = useTranslation('channels')
  const client = useQueryClient()
  const toast = useToast()
  const minor = minorUnits(currency)
  const send = async (v: Values) => {
    await spreadCost({ channel: v.channel, from: v.from, to: v.to, currency, amount: readAmount(v.amount, minor) ?? 0, add: v.add })
    await client.invalidateQueries({ queryKey: ['channels'] })
    toast.done(t('spread.done'))
    onClose()
  }
  return (
    <Dialog open onClose={onClose} title={t('spread.title')}>
      <p className="kp-muted">{t('spread.desc')}</p>
      <Form<Values> submit={t('spread.ok')} initial={{ from: addDays(today, -29), to: today, add: false }} onSubmit={send}>
        <Field name="channel" label={t('table.channel')} rules={[{ required: true, message: t('spread.needed') }]}>
          <Select showSearch optionFilterProp="label" options={channels.filter((c) => !c.archived).map((c) => ({ value: c.id, label: c.path.join(' / ') }))} />
        </Field>
        <Field
          name="amount"
          label={t('spread.amount', { currency })}
          rules={[{ validator: (_, text: string | undefined) => ((readAmount(text ?? '', minor) ?? 0) > 0 ? Promise.resolve() : Promise.reject(new Error(t('costs.wrong')))) }]}
        >
          <Input inputMode="decimal" autoComplete="off" />
        </Field>
        <Field name="from" label={t('spread.from')}>
          <Input type="date" />
        </Field>
        <Field name="to" label={t('spread.to')}>
          <Input type="date" />
        </Field>
        <Field name="add" valuePropName="checked">
          <Checkbox>{t('spread.add')}</Checkbox>
        </Field>
      </Form>
    </Dialog>
  )
}
