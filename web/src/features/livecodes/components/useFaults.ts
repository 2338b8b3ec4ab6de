import { useMemo } from 'react'
import { ApiError } from '@/shared/api/errors'
import type { FaultOf } from './WelcomeEditor'

/** What the server found wrong, by the path of the field; `left` are those that no field shows. */
export function useFaults(error: unknown): FaultOf {
  return useMemo(() => {
    const by = new Map<string, string>()
    if (error instanceof ApiError) for (const f of error.fields) by.set(f.path.replace(/^body\.?/, '').replace(/\.(\d+)(?=\.|$)/g, '[$1]'), f.detail)
    return (path: string) => by.get(path)
  }, [error])
}
