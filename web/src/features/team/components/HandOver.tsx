import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import type { User } from '@/shared/api/types'
import { Dialog } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Field, Form } from '@/shared/ui/Form'
import { Input, Select } from '@/shared/ui/kit'
import { ErrorState, Loading } from '@/shared/ui/states'
import { customersOf, handOver } from '../queries'

/** Gives somebody's customers to colleagues, evenly, or to nobody. */
export function HandOver({ user, staff, onClose }: { user: User | undefined; staff: User[]; onClose: () => void }) {
  const { t } = useTranslation('team')
  return (
    <Dialog open={user !== undefined} onClose={onClose} title={t('handOver.title', { name: user?.name ?? '' })}>
      {user && <Body key={user.id} user={user} staff={staff} onClose={onClose} />}
    </Dialog>
  )
}

function Body({ user, staff, onClose }: { user: User; staff: User[]; onClose: () => void }) {
  const { t } = useTranslation('team')
  const toast = useToast()
  const client = useQueryClient()
  const query = useQuery(customersOf(user.id))
  if (query.error) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />
  if (!query.data) return <Loading height={120} />
  if (query.data.total === 0) return <p>{t('handOver.none')}</p>
  return (
    <Form<{ to: string[]; reason: string }>
      initial={{ to: [], reason: '' }}
      submit={t('handOver.ok')}
      onSubmit={async (v) => {
        await handOver(user.id, v.to, (v.reason ?? '').trim())
        toast.done(t('handOver.started'))
        onClose()
        await client.invalidateQueries({ queryKey: ['jobs'] })
      }}
    >
      <p>{t('handOver.count', { count: query.data.total })}</p>
      <Field name="to" label={t('handOver.to')} extra={t('handOver.help')}>
        <Select mode="multiple" optionFilterProp="label" options={staff.filter((u) => u.state === 'active' && u.id !== user.id).map((u) => ({ value: u.id, label: u.name }))} />
      </Field>
      <Field name="reason" label={t('handOver.reason')}>
        <Input maxLength={200} />
      </Field>
    </Form>
  )
}
