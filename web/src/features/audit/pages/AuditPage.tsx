import { useMutation } from '@tanstack/react-query'
import { ShieldCheck } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { useCursorList } from '@/shared/api/cursor'
import type { AuditEntry } from '@/shared/api/types'
import { useUrlPatch, useUrlRange, useUrlText } from '@/shared/lib/url'
import { Chip } from '@/shared/ui/chips'
import { CopyText } from '@/shared/ui/copy'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { DateRange } from '@/shared/ui/DateRange'
import { useToast } from '@/shared/ui/feedback'
import { FilterBar, SearchBox } from '@/shared/ui/FilterBar'
import { JsonView } from '@/shared/ui/JsonView'
import { Alert, Button } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { DateTime, None } from '@/shared/ui/values'
import { auditPage, verifyAudit } from '../queries'

/** Who changed or looked at what, and whether the record is whole. */
export default function AuditPage() {
  const { t } = useTranslation('audit')
  const toast = useToast()
  const patch = useUrlPatch()
  const [action, setAction] = useUrlText('action')
  const [objectType, setObjectType] = useUrlText('objectType')
  const [range, setRange] = useUrlRange('90d')
  const filter = { action: action || undefined, objectType: objectType || undefined, from: range.from, to: range.to }
  const list = useCursorList({ queryKey: ['audit', 'list', filter], page: auditPage(filter) })
  const verify = useMutation({ mutationFn: verifyAudit, onError: (error) => toast.failed(error) })
  const filtered = action !== '' || objectType !== ''
  const clear = () => patch({ action: '', objectType: '' })

  const columns: Column<AuditEntry>[] = [
    { key: 'at', title: t('column.at'), render: (e) => <DateTime at={e.at} seconds /> },
    {
      key: 'who',
      title: t('column.who'),
      render: (e) => (
        <span className="kp-row">
          {e.actor.name || e.actor.id || <None />} <Chip>{t(`kind.${e.actor.kind}`)}</Chip>
        </span>
      ),
    },
    { key: 'action', title: t('column.action'), render: (e) => <code>{e.action}</code> },
    {
      key: 'object',
      title: t('column.object'),
      render: (e) =>
        e.object.type ? (
          <span>
            {e.object.name || e.object.id} <small className="kp-muted">{e.object.type}</small>
          </span>
        ) : (
          <None />
        ),
    },
    { key: 'ip', title: t('column.ip'), render: (e) => (e.ip ? <span className="kp-num">{e.ip}</span> : <None />) },
  ]
  return (
    <Page>
      <PageHead
        title={t('title')}
        desc={t('desc')}
        extra={
          <Button icon={<ShieldCheck size={15} aria-hidden />} loading={verify.isPending} onClick={() => verify.mutate()}>
            {verify.isPending ? t('verify.run') : t('verify.ok')}
          </Button>
        }
      />
      {verify.data && (
        <Alert
          showIcon
          closable
          role="status"
          className="kp-form-alert"
          type={verify.data.ok ? 'success' : 'error'}
          title={verify.data.ok ? t('verify.good', { count: verify.data.checked }) : t('verify.bad', { seq: verify.data.firstBad ?? 0 })}
        />
      )}
      <Panel flush>
        <FilterBar active={filtered} onClear={clear} extra={<DateRange value={range} onChange={setRange} />}>
          <SearchBox value={action} onChange={setAction} placeholder={t('filter.action')} />
          <SearchBox value={objectType} onChange={setObjectType} placeholder={t('filter.object')} width={160} />
        </FilterBar>
        <DataTable
          label={t('title')}
          list={list}
          columns={columns}
          rowKey={(e) => String(e.seq)}
          filtered={filtered}
          onClearFilters={clear}
          empty={<Empty title={t('empty.title')} desc={t('empty.desc')} />}
          expand={(e) => <Details entry={e} />}
        />
      </Panel>
    </Page>
  )
}

function Details({ entry }: { entry: AuditEntry }) {
  const { t } = useTranslation('audit')
  return (
    <div className="kp-stack">
      <JsonView value={entry.detail} label={t('detail')} depth={2} />
      <span className="kp-row wrap kp-muted">
        {entry.requestId && (
          <>
            {t('request')} <CopyText text={entry.requestId} label={t('request')} />
          </>
        )}
        {t('hash')} <code className="kp-clip">{entry.hash}</code>
      </span>
    </div>
  )
}
