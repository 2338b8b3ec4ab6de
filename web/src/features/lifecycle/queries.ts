import { queryOptions } from '@tanstack/react-query'
import { api, idempotencyKey, unwrap } from '@/shared/api/client'
import type { Machine, MachineFlow, MachinePreview, MachineState, Placed, PlaceMany, PlaceReach, PlaceRun, SelectionBody, Standing } from '@/shared/api/types'
import type { Lang } from '@/shared/i18n/lang'
import type { Choice } from './choice'
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

/** Where a contact stands, how it came there, and a colleague's choice that holds. */
export const standingQuery = (machine: MachineName, contact: string) =>
  queryOptions({
    queryKey: ['lifecycle', machine, 'of', contact],
    queryFn: ({ signal }) => {
      const at = { params: { path: { id: contact } }, signal }
      return unwrap<Standing>(machine === 'pools' ? api.GET('/api/contacts/{id}/moves/pools', at) : api.GET('/api/contacts/{id}/moves/lifecycle', at))
    },
  })

/** One page of those who were placed by hand. */
export const placedPage = (machine: MachineName) => ({
  queryKey: ['lifecycle', machine, 'placed'],
  page: (cursor: string | undefined, signal: AbortSignal) => {
    const at = { params: { query: { cursor, limit: 20 } }, signal }
    return unwrap<{ items: Placed[]; next?: string }>(machine === 'pools' ? api.GET('/api/pools/pins', at) : api.GET('/api/lifecycle/pins', at))
  },
})

/** Places a contact by hand. */
export const place = (machine: MachineName, contact: string, choice: Choice) => {
  const body = { contacts: [contact], ...choice }
  return unwrap<{ moved: number }>(machine === 'pools' ? api.POST('/api/pools/pins', { body }) : api.POST('/api/lifecycle/pins', { body }))
}

/** Lets rules decide about a contact again. */
export const release = (machine: MachineName, contact: string) => {
  const at = { params: { path: { id: contact } } }
  return unwrap(machine === 'pools' ? api.DELETE('/api/pools/pins/{id}', at) : api.DELETE('/api/lifecycle/pins/{id}', at))
}

const many = (machine: MachineName, body: PlaceMany, more: { signal?: AbortSignal; headers?: Record<string, string> }) =>
  unwrap<PlaceReach>(machine === 'pools' ? api.POST('/api/pools/pins/bulk', { body, ...more }) : api.POST('/api/lifecycle/pins/bulk', { body, ...more }))

/** How many people work on many would concern. */
export const reachQuery = (machine: MachineName, who: SelectionBody, state: string | undefined, letGo: boolean) =>
  queryOptions({
    queryKey: ['lifecycle', machine, 'reach', who, state, letGo],
    queryFn: ({ signal }) => many(machine, { ...who, preview: true, ...(letGo ? { release: true } : { state }) }, { signal }),
    staleTime: 0,
  })

/** Begins to place many people by hand, or with no choice to let rules decide about them again. */
export async function placeMany(machine: MachineName, who: SelectionBody, choice: Choice | undefined): Promise<PlaceRun> {
  const { run } = await many(machine, choice ? { ...who, ...choice } : { ...who, release: true }, { headers: { 'Idempotency-Key': idempotencyKey() } })
  if (!run) throw new Error('the server answered without the work')
  return run
}

const going = (run: PlaceRun | undefined) => !run || run.state === 'queued' || run.state === 'running'

/** How far work on many is. */
export const runQuery = (machine: MachineName, id: string) =>
  queryOptions({
    queryKey: ['lifecycle', machine, 'run', id],
    queryFn: ({ signal }) => {
      const at = { params: { path: { id } }, signal }
      return unwrap<PlaceRun>(machine === 'pools' ? api.GET('/api/pools/pins/runs/{id}', at) : api.GET('/api/lifecycle/pins/runs/{id}', at))
    },
    refetchInterval: (q) => (going(q.state.data) ? 700 : false),
  })

/** Stops work on many. */
export const cancelRun = (machine: MachineName, id: string) => {
  const at = { params: { path: { id } } }
  return unwrap<PlaceRun>(machine === 'pools' ? api.POST('/api/pools/pins/runs/{id}/cancel', at) : api.POST('/api/lifecycle/pins/runs/{id}/cancel', at))
}

/** Lets rules decide again about those whom work on many placed. */
export const releaseRun = (machine: MachineName, id: string) => {
  const at = { params: { path: { id } } }
  return unwrap<PlaceRun>(machine === 'pools' ? api.POST('/api/pools/pins/runs/{id}/release', at) : api.POST('/api/lifecycle/pins/runs/{id}/release', at))
}
