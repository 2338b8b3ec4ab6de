import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/shared/api/client'
import type { Company } from '@/shared/api/types'

/** The company's name, time zone, currency and language. */
export const settingsQuery = () =>
  queryOptions({
    queryKey: ['settings'],
    queryFn: ({ signal }) => unwrap<Company>(api.GET('/api/settings', { signal })),
  })

/** Saves the company's settings. Changes what the session says about the company too. */
export const saveSettings = (body: Company) => unwrap<Company>(api.PATCH('/api/settings', { body }))
