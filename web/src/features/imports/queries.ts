import { queryOptions } from '@tanstack/react-query'
import { api, idempotencyKey, unwrap } from '@/shared/api/client'
import type { Import, ImportField, ImportKind, ImportPlan, ImportPreview, SavedMapping, Upload } from '@/shared/api/types'
import { uploadFile } from '@/shared/api/upload'

/** Sends a file; the answer says what it holds and guesses the mapping. */
export const sendFile = (file: File, onProgress: (share: number) => void, signal: AbortSignal) =>
  uploadFile<Upload>(`/api/imports/files?name=${encodeURIComponent(file.name)}`, file, { onProgress, signal })

/** What a column can become. */
export const fieldsQuery = (kind: ImportKind) =>
  queryOptions({
    queryKey: ['imports', 'fields', kind],
    queryFn: ({ signal }) => unwrap<{ items: ImportField[] }>(api.GET('/api/imports/fields', { params: { query: { kind } }, signal })),
  })

/** Mappings kept under a name. */
export const mappingsQuery = (kind: ImportKind) =>
  queryOptions({
    queryKey: ['imports', 'mappings', kind],
    queryFn: ({ signal }) => unwrap<{ items: SavedMapping[] }>(api.GET('/api/imports/mappings', { params: { query: { kind } }, signal })),
  })

/** What would happen, without changing anything. */
export const previewImport = (body: ImportPlan) => unwrap<ImportPreview>(api.POST('/api/imports/preview', { body }))

/** Starts the import. */
export const startImport = (body: ImportPlan & { name?: string; saveMappingAs?: string }) =>
  unwrap<Import>(api.POST('/api/imports', { body, params: { header: { 'Idempotency-Key': idempotencyKey() } } }))

/** One page of imports, newest first. */
export const importsPage = (cursor: string | undefined, signal: AbortSignal) =>
  unwrap<{ items: Import[]; next?: string; total?: number }>(api.GET('/api/imports', { params: { query: { cursor } }, signal }))

/** Whether the import is still at work. */
export const busy = (i: Pick<Import, 'state'>) => i.state === 'queued' || i.state === 'running' || i.state === 'undoing'

const WATCH_MS = 1000

/** One import, watched while it is at work. */
export const importQuery = (id: string) =>
  queryOptions({
    queryKey: ['imports', 'one', id],
    queryFn: ({ signal }) => unwrap<Import>(api.GET('/api/imports/{id}', { params: { path: { id } }, signal })),
    refetchInterval: (q) => (q.state.data && busy(q.state.data) ? WATCH_MS : false),
  })

/** Stops an import; what is in stays. */
export const cancelImport = (id: string) => unwrap<Import>(api.POST('/api/imports/{id}/cancel', { params: { path: { id } } }))

/** Takes a whole import back. */
export const undoImport = (id: string) => unwrap<Import>(api.POST('/api/imports/{id}/undo', { params: { path: { id } } }))
