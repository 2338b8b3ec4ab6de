import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/shared/api/client'
import type { Machine, MachineFlow, MachinePreview, MachineState } from '@/shared/api/types'
import type { Lang } from '@/shared/i18n/lang'
import type { MachineName } from './machine'

/** A machine with its counts. While everybody is being sorted it is asked for again and again. */
export const machineQuery = (machine: MachineName, lang: Lang) =>
  queryOptions({
    queryKey: ['lifecycle', machine, lang],
    queryFn: ({ signal }) => unwrap<Machine>(machine === 'pools' ? api.GET('/api/pools', { signal }) : api.GET('/api/lifecycle', { signal })),
    refetchInterval: (q) => (q.state.data?.job ? 1500 : 60_000),
  })

export const flowQuery = (machine: MachineName) =>
  queryOptions({
    queryKey: ['lifecycle', machine, 'flow'],
    queryFn: ({ signal }) => unwrap<MachineFlow>(machine === 'pools' ? api.GET('/api/pools/flow', { signal }) : api.GET('/api/lifecycle/flow', { signal })),
  })

export const preview = (machine: MachineName, states: MachineState[]) =>
  unwrap<MachinePreview>(machine === 'pools' ? api.POST('/api/pools/preview', { body: { states } }) : api.POST('/api/lifecycle/preview', { body: { states } }))

export const save = (machine: MachineName, version: number, states: MachineState[]) =>
  unwrap<Machine>(machine === 'pools' ? api.PUT('/api/pools', { body: { version, states } }) : api.PUT('/api/lifecycle', { body: { version, states } }))
