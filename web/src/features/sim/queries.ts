import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/shared/api/client'
import type { ContactRow, SceneCode, TimelineFact, SimAct, SimDiary, SimDone, SimFault, SimFaultInput, SimPeople, SimPhone, SimWorld } from '@/shared/api/types'

export const worldQuery = () =>
  queryOptions({ queryKey: ['sim', 'world'], queryFn: ({ signal }) => unwrap<SimWorld>(api.GET('/api/sim', { signal })), staleTime: 2_000 })

/** What the pond's scene codes are called, by their ids: their platform knows only a key. */
export const sceneNamesQuery = () =>
  queryOptions({
    queryKey: ['sim', 'scenes'],
    queryFn: async ({ signal }) => {
      const { items } = await unwrap<{ items: SceneCode[] | null }>(api.GET('/api/scene-codes', { params: { query: { limit: 100 } }, signal }))
      return new Map((items ?? []).map((c) => [c.id, c.name]))
    },
    staleTime: 30_000,
  })

export const peopleQuery = (q: string) =>
  queryOptions({
    queryKey: ['sim', 'people', q],
    queryFn: ({ signal }) => unwrap<SimPeople>(api.GET('/api/sim/people', { params: { query: { q: q || undefined, limit: 100 } }, signal })),
    staleTime: 2_000,
  })

export const phoneQuery = (person: string) =>
  queryOptions({
    queryKey: ['sim', 'phone', person],
    queryFn: ({ signal }) => unwrap<SimPhone>(api.GET('/api/sim/phones/{person}', { params: { path: { person } }, signal })),
    staleTime: 0,
  })

/** The customer as Koipond knows them: found by any of what the platforms call them. */
export const knownQuery = (externals: readonly string[]) =>
  queryOptions({
    queryKey: ['sim', 'known', ...externals],
    queryFn: async ({ signal }): Promise<ContactRow | null> => {
      for (const q of externals) {
        const found = await unwrap<{ contacts: ContactRow[] | null }>(api.GET('/api/search', { params: { query: { q } }, signal }))
        if (found.contacts?.[0]) return found.contacts[0]
      }
      return null
    },
    staleTime: 0,
  })

/** What is known to have happened to a customer, newest first. */
export const factsQuery = (id: string) =>
  queryOptions({
    queryKey: ['sim', 'known', 'facts', id],
    queryFn: ({ signal }) => unwrap<{ items: TimelineFact[] | null }>(api.GET('/api/contacts/{id}/timeline', { params: { path: { id }, query: { limit: 10 } }, signal })),
    staleTime: 0,
  })

export const diary = (after: number, signal: AbortSignal) => unwrap<SimDiary>(api.GET('/api/sim/diary', { params: { query: { after, wait: 20 } }, signal }))
export const act = (body: SimAct) => unwrap<SimDone>(api.POST('/api/sim/acts', { body }))
export const addFault = (body: SimFaultInput) => unwrap<SimFault>(api.POST('/api/sim/faults', { body }))
export const removeFault = (id: string) => unwrap<unknown>(api.DELETE('/api/sim/faults/{id}', { params: { path: { id } } }))
