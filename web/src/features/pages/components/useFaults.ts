import { useMemo } from 'react'
import { ApiError } from '@/shared/api/errors'

/** What is wrong with a part of a form, by its path. */
export type FaultOf = (path: string) => string | undefined

/** What the server found wrong, by the path of the field. */
export function useFaults(error: unknown): FaultOf {
  return useMemo(() => {
    const by = new Map<string, string>()
    if (error instanceof ApiError) for (const f of error.fields) by.set(f.path.replace(/^body\.?/, '').replace(/\.(\d+)(?=\.|$)/g, '[$1]'), f.detail)
    return (path: string) => by.get(path)
  }, [error])
}
