import { queryOptions } from '@tanstack/react-query'
import { api, idempotencyKey, unwrap } from '@/shared/api/client'
import type { AttributeChange, AttributeDef, AttributeInput, AttributeMerge, AttributeMergePreview, AttributePatch, AttributeRun, AttributeViolation, Contact, Job, OptionChange, OptionsPreview, Retype, RetypePreview, TriedValue, Use } from '@/shared/api/types'

const at = (key: string) => ({ path: { key } })
const once = () => ({ 'Idempotency-Key': idempotencyKey() })

/** Defines an attribute, or adopts one that arrived. */
export const createAttribute = (body: AttributeInput) => unwrap<AttributeDef>(api.POST('/api/attributes', { body, headers: once() }))

/** Changes a definition. */
export const updateAttribute = (key: string, body: AttributePatch) => unwrap<AttributeDef>(api.PATCH('/api/attributes/{key}', { params: at(key), body }))

/** Looks at everybody's attributes anew. */
export const survey = () => unwrap<Job>(api.POST('/api/attributes/survey', {}))

/** What a definition makes of a value as it is typed. */
export const tryValue = (definition: AttributeInput, value: string) => unwrap<TriedValue>(api.POST('/api/attributes/try', { body: { definition, value } }))

/** What a change of type would do to a sample of the values. */
export const previewRetype = (key: string, body: Retype) => unwrap<RetypePreview>(api.POST('/api/attributes/{key}/retype/preview', { params: at(key), body }))

/** Starts the change of type. */
export const startRetype = (key: string, body: Retype) => unwrap<Job>(api.POST('/api/attributes/{key}/retype', { params: at(key), body, headers: once() }))

/** Values that were not taken. */
export const violationsQuery = (key: string) =>
  queryOptions({
    queryKey: ['attributes', 'violations', key],
    queryFn: ({ signal }) => unwrap<{ items: AttributeViolation[] }>(api.GET('/api/attributes/{key}/violations', { params: at(key), signal })),
  })

/** What was said of a contact's attribute. */
export const historyQuery = (id: string, key: string) =>
  queryOptions({
    queryKey: ['contacts', 'one', id, 'history', key],
    queryFn: ({ signal }) => unwrap<{ items: AttributeChange[] }>(api.GET('/api/contacts/{id}/attributes/{key}/history', { params: { path: { id, key } }, signal })),
  })

/** Sets one attribute of a contact; null takes it away. */
export const setAttribute = (id: string, key: string, value: unknown) =>
  unwrap<Contact>(api.PATCH('/api/contacts/{id}', { params: { path: { id } }, body: key === 'name' ? { name: String(value ?? '') } : { attributes: { [key]: value } } }))

/** Shows a personal value in full; the reason is audited. */
export const unmaskAttribute = async (id: string, key: string, reason: string) =>
  (await unwrap<{ value: string }>(api.POST('/api/contacts/{id}/unmask', { params: { path: { id } }, body: { field: `attribute:${key}`, reason } }))).value

/** Where an attribute is used. */
export const usesQuery = (key: string) =>
  queryOptions({
    queryKey: ['attributes', 'uses', key],
    queryFn: async ({ signal }) => (await unwrap<{ items: Use[] }>(api.GET('/api/attributes/{key}/uses', { params: at(key), signal }))).items,
    staleTime: 0,
  })

/** What merging an attribute into another would do. */
export const mergePreviewQuery = (key: string, body: AttributeMerge) =>
  queryOptions({
    queryKey: ['attributes', 'merge', key, body],
    queryFn: ({ signal }) => unwrap<AttributeMergePreview>(api.POST('/api/attributes/{key}/merge/preview', { params: at(key), body, signal })),
    enabled: body.into !== '',
    staleTime: 0,
  })

/** Who has which option, and whom changes would concern. */
export const optionsPreviewQuery = (key: string, changes: OptionChange[]) =>
  queryOptions({
    queryKey: ['attributes', 'options', key, changes],
    queryFn: ({ signal }) => unwrap<OptionsPreview>(api.POST('/api/attributes/{key}/options/preview', { params: at(key), body: { changes }, signal })),
    staleTime: 0,
  })

/** Starts a merge. */
export const mergeAttribute = (key: string, body: AttributeMerge) => unwrap<AttributeRun>(api.POST('/api/attributes/{key}/merge', { params: at(key), body, headers: once() }))

/** Starts a change of options. */
export const remapOptions = (key: string, changes: OptionChange[]) => unwrap<AttributeRun>(api.POST('/api/attributes/{key}/options/remap', { params: at(key), body: { changes }, headers: once() }))

/** Merges and changes of options; looked at again while one goes on. */
export const runsQuery = () =>
  queryOptions({
    queryKey: ['attributes', 'runs'],
    queryFn: async ({ signal }) => (await unwrap<{ items: AttributeRun[] }>(api.GET('/api/attribute-runs', { signal }))).items,
    refetchInterval: (q) => (q.state.data?.some((r) => r.state === 'queued' || r.state === 'running' || r.undoing) ? 1000 : false),
  })

export const cancelRun = (id: string) => unwrap<AttributeRun>(api.POST('/api/attribute-runs/{id}/cancel', { params: { path: { id } } }))
export const undoRun = (id: string) => unwrap<AttributeRun>(api.POST('/api/attribute-runs/{id}/undo', { params: { path: { id } } }))
