import { BulkReassign } from '@/features/care/components/BulkReassign'
import { BulkTags } from '@/features/contacts/components/BulkTags'
import { ExportContacts } from '@/features/contacts/components/ExportContacts'
import { BulkConsent } from '@/features/consent/components/BulkConsent'
import { ContactsPage } from '@/features/contacts/pages/ContactsPage'
import { BulkPlace } from '@/features/lifecycle/components/BulkPlace'
import { AddToSegment } from '@/features/segments/components/AddToSegment'
import type { SelectionAction } from '@/shared/lib/selection'
import { useCan } from '@/shared/lib/session'

/** The list of contacts with what can be done with many of them: each feature adds an action here. */
export default function ContactsList() {
  const actions: SelectionAction[] = []
  const mayWrite = useCan('contact.write')
  const seesStages = useCan('segment.read')
  if (mayWrite) actions.push({ key: 'tags', show: (s) => <BulkTags selection={s} /> }, { key: 'owner', show: (s) => <BulkReassign selection={s} /> })
  if (mayWrite && seesStages) actions.push({ key: 'place', show: (s) => <BulkPlace selection={s} /> })
  if (useCan('segment.write')) actions.push({ key: 'segment', show: (s) => <AddToSegment selection={s} /> })
  if (useCan('consent.write')) actions.push({ key: 'consent', show: (s) => <BulkConsent selection={s} /> })
  if (useCan('contact.export')) actions.push({ key: 'export', show: (s) => <ExportContacts selection={s} /> })
  return <ContactsPage actions={actions} />
}
