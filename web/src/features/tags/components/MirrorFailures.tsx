import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useCursorList } from '@/shared/api/cursor'
import type { TagMirrorFailure } from '@/shared/api/types'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { Drawer } from '@/shared/ui/Drawer'
import { Button } from '@/shared/ui/kit'
import { Empty } from '@/shared/ui/states'
import { Count } from '@/shared/ui/values'
import { failuresPage, retryMirror } from '../mirror'
import { useTagWork } from './useTagWork'

/** The friendships whose tags could not be sent, with the reason, to be tried again. */
export function MirrorFailures({ account, onClose }: { account: string; onClose: () => void }) {
  const { t } = useTranslation('tags')
  const { act } = useTagWork()
  const list = useCursorList(failuresPage(account))
  const columns: Column<TagMirrorFailure>[] = [
    { key: 'name', title: t('mirror.failure.customer'), fixed: true, render: (f) => (f.contactId ? <Link to={`/contacts/${f.contactId}`}>{f.name || f.customer}</Link> : f.customer) },
    { key: 'staff', title: t('mirror.failure.staff'), render: (f) => f.staffName },
    { key: 'why', title: t('mirror.failure.why'), clip: true, render: (f) => f.why },
    { key: 'tries', title: t('mirror.failure.tries'), align: 'right', render: (f) => <Count value={f.tries} /> },
  ]
  return (
    <Drawer
      open
      onClose={onClose}
      title={t('mirror.failure.title')}
      width={720}
      extra={<Button onClick={() => void act(() => retryMirror(account)).then(onClose)}>{t('mirror.retry')}</Button>}
    >
      <DataTable label={t('mirror.failure.title')} list={list} columns={columns} rowKey={(f) => `${f.staff} ${f.customer}`} empty={<Empty title={t('mirror.failure.none')} />} />
    </Drawer>
  )
}
