import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/shared/api/client'
import type { Rfm, RfmMigration, RfmModel, RfmModelInput } from '@/shared/api/types'
import type { Lang } from '@/shared/i18n/lang'

const at = (id: string) => ({ path: { id } })

export const modelsQuery = () => queryOptions({ queryKey: ['rfm', 'models'], queryFn: ({ signal }) => unwrap<{ items: RfmModel[] }>(api.GET('/api/rfm/models', { signal })) })

export const rfmQuery = (model: string, lang: Lang) =>
  queryOptions({ queryKey: ['rfm', 'view', model, lang], queryFn: ({ signal }) => unwrap<Rfm>(api.GET('/api/rfm/models/{id}', { params: at(model), signal })) })

export const migrationQuery = (model: string, from: string, to: string) =>
  queryOptions({
    queryKey: ['rfm', 'migration', model, from, to],
    queryFn: ({ signal }) => unwrap<RfmMigration>(api.GET('/api/rfm/models/{id}/migration', { params: { ...at(model), query: { from, to } }, signal })),
  })

export const previewModel = (body: RfmModelInput) => unwrap<Rfm>(api.POST('/api/rfm/preview', { body }))
export const createModel = (body: RfmModelInput) => unwrap<RfmModel>(api.POST('/api/rfm/models', { body }))
export const changeModel = (id: string, body: RfmModelInput) => unwrap<RfmModel>(api.PUT('/api/rfm/models/{id}', { params: at(id), body }))
export const removeModel = (id: string) => unwrap(api.DELETE('/api/rfm/models/{id}', { params: at(id) }))
