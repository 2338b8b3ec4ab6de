import { BulkReassign } from '@/features/care/components/BulkReassign'
import { BulkTags } from '@/features/contacts/components/BulkTags'
import { PeopleTable } from '@/features/contacts/components/PeopleTable'
import { BulkPlace } from '@/features/lifecycle/components/BulkPlace'
import { SegmentPage } from '@/features/segments/pages/SegmentPage'
import type { SelectionAction } from '@/shared/lib/selection'
import { useCan } from '@/shared/lib/session'

/** A segment with its people, shown as the list of contacts shows them, and what can be done with all of them. */
export default function SegmentView() {
  const actions: SelectionAction[] = []
  const mayWrite = useCan('contact.write')
  const seesStages = useCan('segment.read')
  if (mayWrite && seesStages) actions.push({ key: 'place', show: (s) => <BulkPlace selection={s} /> })
  if (mayWrite) actions.push({ key: 'tags', show: (s) => <BulkTags selection={s} /> }, { key: 'owner', show: (s) => <BulkReassign selection={s} /> })
  return <SegmentPage people={(p) => <PeopleTable {...p} />} actions={actions} />
}
