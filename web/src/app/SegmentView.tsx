import { PeopleTable } from '@/features/contacts/components/PeopleTable'
import { SegmentPage } from '@/features/segments/pages/SegmentPage'

/** A segment with its people, shown as the list of contacts shows them. */
export default function SegmentView() {
  return <SegmentPage people={(p) => <PeopleTable {...p} />} />
}
