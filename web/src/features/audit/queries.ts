import { api, unwrap } from '@/shared/api/client'
import type { AuditEntry, AuditVerdict } from '@/shared/api/types'

/** What narrows the audit log. */
export interface AuditFilter {
  action?: string
  objectType?: string
  actor?: string
  from?: string
  to?: string
}

/** One page of the audit log, newest first. */
export const auditPage = (filter: AuditFilter) => (cursor: string | undefined, signal: AbortSignal) =>
  unwrap<{ items: AuditEntry[]; next?: string; total?: number }>(api.GET('/api/audit', { params: { query: { ...filter, cursor } }, signal }))

/** Recomputes the whole chain and says whether it holds. */
export const verifyAudit = () => unwrap<AuditVerdict>(api.POST('/api/audit/verify'))
