import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import type { OrderTouches } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { useToast } from '@/shared/ui/feedback'
import { Field, Form } from '@/shared/ui/Form'
import { Input } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { QueryState } from '@/shared/ui/states'
import { setTouchDays, touchesQuery } from '../queries'

/** Which touch counts as an order's last one. */
export function TouchSettings() {
  const { t } = useTranslation('channels')
  const query = useQuery(touchesQuery())
  return (
    <Panel title={t('touch.title')} desc={t('touch.desc')}>
      <QueryState query={query} height={90}>
        {(set) => <Window set={set} />}
      </QueryState>
    </Panel>
  )
}

function Window({ set }: { set: OrderTouches }) {
  const { t } = useTranslation(['channels', 'common'])
  const client = useQueryClient()
  const toast = useToast()
  const mayEdit = useCan('acquire.write')
  const save = async ({ days }: { days: number | string }) => {
    client.setQueryData(touchesQuery().queryKey, await setTouchDays(Number(days)))
    toast.done(t('touch.saved'))
  }
  return (
    <Form<{ days: number | string }> submit={t('common:action.save')} initial={{ days: set.days }} disabled={!mayEdit} onSubmit={save}>
      <Field name="days" label={t('touch.days')} extra={set.due > 0 ? t('touch.due', { count: set.due }) : t('touch.hint')}>
        <Input type="number" min={0} max={730} style={{ maxWidth: 160 }} />
      </Field>
    </Form>
  )
}
