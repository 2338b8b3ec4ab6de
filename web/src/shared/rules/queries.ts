import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/shared/api/client'
import type { Estimate, Explained, Rule } from '@/shared/api/types'

/** Every tag in its group. */
export const tagsQuery = () =>
  queryOptions({
    queryKey: ['tags'],
    queryFn: ({ signal }) => unwrap(api.GET('/api/tags', { signal })),
  })

/** The members of staff a contact can belong to. */
export const staffQuery = () => queryOptions({ queryKey: ['staff'], queryFn: ({ signal }) => unwrap(api.GET('/api/staff', { signal })) })

/** What contacts can be filtered by, named in a language. */
export const ruleFieldsQuery = (lang: string) =>
  queryOptions({
    queryKey: ['contacts', 'fields', lang],
    queryFn: ({ signal }) => unwrap(api.GET('/api/contacts/fields', { signal })),
    staleTime: 60_000,
  })

/** An event that conditions can be about. */
export interface KnownEvent {
  name: string
  label: string
}

/** A property that an event's facts are known to have. */
export interface KnownProperty {
  name: string
  label: string
  type: string
  samples: string[]
}

/** The events that there are, named in a language, those that happen most at the top. */
export const ruleEventsQuery = (lang: string) =>
  queryOptions({
    queryKey: ['rules', 'events', lang],
    queryFn: async ({ signal }): Promise<KnownEvent[]> => {
      const { items } = await unwrap(api.GET('/api/rules/events', { params: { query: { limit: 500 } }, signal }))
      return items.map((e) => ({ name: e.name, label: e.title }))
    },
    staleTime: 60_000,
  })

/** The properties of one event's facts. An event that nobody knows yet has none. */
export const eventPropertiesQuery = (name: string, lang: string) =>
  queryOptions({
    queryKey: ['rules', 'events', name, lang],
    queryFn: async ({ signal }): Promise<KnownProperty[]> => {
      const { items } = await unwrap(api.GET('/api/rules/events/{name}/properties', { params: { path: { name } }, signal }))
      return items.map((p) => ({ name: p.name, label: p.title, type: p.type, samples: p.samples }))
    },
    staleTime: 60_000,
    retry: false,
  })

/** Whom a rule means: how many, of how many, and a few of them. The server's answer may be a minute old, so it is asked again each minute.
 * Unless it is asked to be exact, it may be made from a sample. */
export const estimateQuery = (rule: Rule, lang: string, exact = false) =>
  queryOptions({
    queryKey: ['rules', 'estimate', rule, lang, exact],
    queryFn: ({ signal }) => unwrap<Estimate>(api.POST('/api/rules/estimate', { body: exact ? { rule, exact } : { rule }, signal })),
    refetchInterval: 60_000,
    retry: false,
  })

/** Why a rule means somebody, or not. */
export const explainQuery = (rule: Rule, contact: string, lang: string) =>
  queryOptions({
    queryKey: ['rules', 'explain', rule, contact, lang],
    queryFn: ({ signal }) => unwrap<Explained>(api.POST('/api/rules/explain', { body: { rule, contact }, signal })),
    retry: false,
  })
