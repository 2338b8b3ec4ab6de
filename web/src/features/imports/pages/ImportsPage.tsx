import { FileInput } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useCursorList } from '@/shared/api/cursor'
import type { Import } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { Chip } from '@/shared/ui/chips'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { Button } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { Count, DateTime } from '@/shared/ui/values'
import { ImportState } from '../components/ImportState'
import { importsPage } from '../queries'

const WATCH_MS = 3000

/** Every file that was brought in. */
export default function ImportsPage() {
  const { t } = useTranslation('imports')
  const may = useCan('import.write')
  const list = useCursorList({ queryKey: ['imports', 'list'], page: importsPage, refetchInterval: WATCH_MS })
  const start = may && (
    <Link to="/imports/new">
      <Button type="primary" icon={<FileInput size={15} aria-hidden />}>
        {t('new.title')}
      </Button>
    </Link>
  )
  const columns: Column<Import>[] = [
    {
      key: 'name',
      title: t('column.name'),
      render: (i) => (
        <span>
          <b className="kp-strong">{i.name}</b>
          <br />
          <small className="kp-muted">{i.file}</small>
        </span>
      ),
    },
    { key: 'kind', title: t('column.kind'), render: (i) => <Chip>{t(`kind.${i.kind}`)}</Chip> },
    { key: 'state', title: t('column.state'), width: 240, render: (i) => <ImportState of={i} /> },
    { key: 'accepted', title: t('column.accepted'), align: 'right', render: (i) => <Count value={i.accepted} /> },
    { key: 'rejected', title: t('column.rejected'), align: 'right', render: (i) => (i.rejected > 0 ? <Chip tone="warn">{i.rejected}</Chip> : <Count value={0} />) },
    { key: 'by', title: t('column.by'), render: (i) => i.createdBy.name },
    { key: 'at', title: t('column.at'), render: (i) => <DateTime at={i.createdAt} /> },
  ]
  return (
    <Page>
      <PageHead title={t('title')} desc={t('desc')} extra={start} />
      <Panel flush>
        <DataTable label={t('title')} list={list} columns={columns} rowKey={(i) => i.id} rowHref={(i) => `/imports/${i.id}`} empty={<Empty title={t('empty.title')} desc={t('empty.desc')} action={start} />} />
      </Panel>
    </Page>
  )
}
