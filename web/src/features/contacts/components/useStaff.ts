import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useCan, useMe } from '@/shared/lib/session'
import { staffQuery } from '../queries'

/** Members of staff by id: all for those who may see the team, else at least oneself. */
export function useStaff(): { id: string; name: string }[] {
  const me = useMe().user
  const { data } = useQuery(staffQuery(useCan('team.read')))
  return useMemo(() => data?.items.filter((u) => u.state === 'active' || u.id === me.id) ?? [{ id: me.id, name: me.name }], [data, me.id, me.name])
}
