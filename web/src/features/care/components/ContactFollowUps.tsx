import { useQuery, useQueryClient } from '@tanstack/react-query'
import { CalendarPlus, CalendarClock } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { wholeList } from '@/shared/api/cursor'
import type { FollowUp } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { useToast } from '@/shared/ui/feedback'
import { Button } from '@/shared/ui/kit'
import { Empty } from '@/shared/ui/states'
import { cancelFollowUp, contactFollowUps } from '../queries'
import { DoneDialog } from './DoneDialog'
import { Due } from './Due'
import { PlanDialog } from './PlanDialog'

/** What is planned with a contact and what came of it, for the contact's page. */
export function ContactFollowUps({ contact }: { contact: string }) {
  const { t } = useTranslation('care')
  const may = useCan('contact.write')
  const client = useQueryClient()
  const toast = useToast()
  const query = useQuery(contactFollowUps(contact))
  const [planning, setPlanning] = useState(false)
  const [ending, setEnding] = useState<FollowUp>()
  const refresh = () => client.invalidateQueries({ queryKey: ['care'] })
  const cancel = async (f: FollowUp) => {
    try {
      await cancelFollowUp(f.id)
    } catch (error) {
      toast.failed(error)
    }
    await refresh()
  }
  const columns: Column<FollowUp>[] = [
    { key: 'due', title: t('column.due'), render: (f) => <Due followUp={f} /> },
    { key: 'type', title: t('column.type'), render: (f) => t(`type.${f.type}`) },
    { key: 'text', title: t('column.text'), render: (f) => f.note || f.text },
    { key: 'who', title: t('column.assignee'), render: (f) => f.assignee.name },
    { key: 'state', title: t('column.state'), render: (f) => (f.outcome ? t(`outcome.${f.outcome}`) : t(`state.${f.state}`)) },
    {
      key: 'do',
      title: '',
      align: 'right',
      render: (f) =>
        may &&
        f.state === 'open' && (
          <span className="kp-row">
            <Button size="small" onClick={() => setEnding(f)}>
              {t('done.do')}
            </Button>
            <Button size="small" type="text" onClick={() => void cancel(f)}>
              {t('cancel')}
            </Button>
          </span>
        ),
    },
  ]
  return (
    <>
      {may && (
        <p style={{ padding: '12px 20px 0', marginBlock: '0 12px' }}>
          <Button icon={<CalendarPlus size={15} aria-hidden />} onClick={() => setPlanning(true)}>
            {t('plan.title')}
          </Button>
        </p>
      )}
      <DataTable
        label={t('title')}
        list={wholeList(query)}
        columns={columns}
        rowKey={(f) => f.id}
        empty={<Empty icon={<CalendarClock size={26} strokeWidth={1.5} aria-hidden />} title={t('none')} desc={t('noneDesc')} />}
      />
      <PlanDialog contact={contact} open={planning} onClose={() => setPlanning(false)} onSaved={refresh} />
      <DoneDialog followUp={ending} onClose={() => setEnding(undefined)} onSaved={refresh} />
    </>
  )
}
