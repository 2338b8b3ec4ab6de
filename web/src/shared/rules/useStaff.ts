import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useMe } from '@/shared/lib/session'
import { staffQuery } from './queries'

/** The active members of staff by id; until they are known, at least oneself. */
export function useStaff(): { id: string; name: string }[] {
  const me = useMe().user
  const { data } = useQuery(staffQuery())
  return useMemo(() => data?.items ?? [{ id: me.id, name: me.name }], [data, me.id, me.name])
}
