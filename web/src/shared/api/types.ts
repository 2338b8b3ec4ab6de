/**
 * The shapes of the HTTP API, in the form openapi-typescript writes
 * (`paths`, `components`), so that replacing this file's source by the
 * generated schema changes nothing for its readers.
 */
import type * as S from './shapes'

type Json<T> = { headers: Record<string, unknown>; content: { 'application/json': T } }
type Failure = { headers: Record<string, unknown>; content: { 'application/problem+json': S.Problem } }
type Empty = { headers: Record<string, unknown>; content?: never }

/** The names between braces in a path. */
type Names<P extends string> = P extends `${string}{${infer N}}${infer Rest}` ? N | Names<Rest> : never
type PathParams<P extends string> = [Names<P>] extends [never] ? { path?: never } : { path: Record<Names<P>, string> }

interface Spec {
  query?: object
  body?: unknown
  /** A body that is sent as it is, such as a file. */
  raw?: true
}

type Query<O extends Spec> = O extends { query: infer Q } ? (object extends Q ? { query?: Q } : { query: Q }) : { query?: never }

type Body<O extends Spec> = O extends { raw: true }
  ? { requestBody: { content: { 'application/octet-stream': string } } }
  : O extends { body: infer B }
    ? { requestBody: { content: { 'application/json': B } } }
    : { requestBody?: never }

type Operation<P extends string, R, O extends Spec> = {
  parameters: { header?: { 'Idempotency-Key'?: string }; cookie?: never } & PathParams<P> & Query<O>
  responses: { 200: [R] extends [void] ? Empty : Json<R>; default: Failure }
} & Body<O>

/** One route: [answer, what it takes]. */
type Route<R, O extends Spec = object> = { r: R; o: O }

type Path<P extends string, M> = {
  [K in 'get' | 'put' | 'post' | 'delete' | 'patch']: K extends keyof M
    ? M[K] extends Route<infer R, infer O>
      ? Operation<P, R, O>
      : never
    : never
}

type List<T> = { items: T[]; next?: string; total?: number }
type All<T> = { items: T[] }
type Paged<Q = object> = { query: Q & { cursor?: string; limit?: number } }
type Period = { from?: string; to?: string }

interface Routes {
  '/api/setup': { get: Route<S.Setup>; post: Route<S.Me, { body: S.SetupInput }> }
  '/api/session': {
    get: Route<S.Me>
    post: Route<S.Me, { body: { email: string; password: string } }>
    delete: Route<void>
  }
  '/api/session/user': { patch: Route<S.Me, { body: { name?: string; language?: S.Language } }> }
  '/api/session/password': { post: Route<void, { body: { current: string; next: string } }> }
  '/api/sessions': { get: Route<All<S.Session>>; delete: Route<void> }
  '/api/sessions/{id}': { delete: Route<void> }

  '/api/users': { get: Route<All<S.User>>; post: Route<S.NewUser, { body: S.UserInput }> }
  '/api/users/{id}': { patch: Route<S.User, { body: { name?: string; role?: string; state?: S.User['state'] } }> }
  '/api/users/{id}/password': { post: Route<{ password: string }, { body: Record<string, never> }> }
  '/api/users/{id}/sessions': { delete: Route<void> }
  '/api/roles': {
    get: Route<{ items: S.Role[]; permissions: S.Permission[] }>
    post: Route<S.Role, { body: { name: string; permissions: string[] } }>
  }
  '/api/roles/{id}': {
    patch: Route<S.Role, { body: { name?: string; permissions?: string[] } }>
    delete: Route<void>
  }

  '/api/tokens': {
    get: Route<All<S.Token>>
    post: Route<{ token: S.Token; secret: string }, { body: { name: string; role: string; expiresAt?: string } }>
  }
  '/api/tokens/{id}': { delete: Route<void> }
  '/api/write-keys': {
    get: Route<All<S.WriteKey>>
    post: Route<{ key: S.WriteKey; secret: string }, { body: { name: string; source?: string } }>
  }
  '/api/write-keys/{id}': { delete: Route<void> }

  '/api/audit': {
    get: Route<
      List<S.AuditEntry>,
      Paged<Period & { actor?: string; action?: string; objectType?: string; objectId?: string }>
    >
  }
  '/api/audit/verify': { post: Route<S.AuditVerdict> }

  '/api/jobs': { get: Route<List<S.Job>, Paged<{ state?: S.JobState; kind?: string }>> }
  '/api/jobs/{id}': { get: Route<S.Job> }
  '/api/jobs/{id}/cancel': { post: Route<S.Job> }
  '/api/jobs/{id}/retry': { post: Route<S.Job> }

  '/api/imports/files': { post: Route<S.Upload, { query: { name: string }; raw: true }> }
  '/api/imports/fields': { get: Route<All<S.ImportField>, { query: { kind: S.ImportKind } }> }
  '/api/imports/preview': { post: Route<S.ImportPreview, { body: S.ImportPlan }> }
  '/api/imports': {
    get: Route<List<S.Import>, Paged>
    post: Route<S.Import, { body: S.ImportPlan & { name?: string; saveMappingAs?: string } }>
  }
  '/api/imports/{id}': { get: Route<S.Import> }
  '/api/imports/{id}/cancel': { post: Route<S.Import> }
  '/api/imports/{id}/undo': { post: Route<S.Import> }
  '/api/imports/mappings': { get: Route<All<S.SavedMapping>, { query: { kind?: S.ImportKind } }> }
  '/api/imports/mappings/{id}': { delete: Route<void> }

  '/api/facts/summary': { get: Route<S.FactSummary, { query: Period }> }
  '/api/facts/trend': { get: Route<S.FactTrend, { query: S.TrendQuery }> }
  '/api/facts/set-aside': {
    get: Route<List<S.SetAside>, Paged<{ state?: S.SetAside['state']; code?: string; name?: string }>>
  }
  '/api/facts/set-aside/retry': { post: Route<{ count: number }, { body: { ids?: string[]; all?: boolean } }> }
  '/api/facts/set-aside/discard': { post: Route<{ count: number }, { body: { ids?: string[]; all?: boolean } }> }

  '/api/dictionary/events': {
    get: Route<List<S.EventDef>, Paged<{ q?: string; state?: S.DefState }>>
    post: Route<
      S.EventDef,
      { body: { name: string; displayName?: string; description?: string; category?: string } }
    >
  }
  '/api/dictionary/events/{name}': {
    get: Route<S.EventDetail>
    patch: Route<
      S.EventDef,
      { body: { displayName?: string; description?: string; category?: string; state?: S.DefState; owner?: string } }
    >
  }
  '/api/dictionary/events/{name}/properties/{property}': {
    put: Route<
      S.PropertyDef,
      {
        body: {
          displayName?: string
          description?: string
          expectedType?: string
          required?: boolean
          state?: S.DefState
          column?: boolean
        }
      }
    >
  }
  '/api/dictionary/violations': { get: Route<List<S.Violation>, Paged<{ event?: string }>> }

  '/api/contacts': {
    get: Route<List<S.ContactRow>, Paged<S.ContactQuery>>
    post: Route<S.Contact, { body: S.ContactInput }>
  }
  '/api/contacts/{id}': {
    get: Route<S.Contact>
    patch: Route<S.Contact, { body: { name?: string; attributes?: Record<string, unknown>; ownerId?: string } }>
  }
  '/api/contacts/{id}/tags': { put: Route<S.Contact, { body: { add?: string[]; remove?: string[] } }> }
  '/api/contacts/{id}/notes': { get: Route<List<S.Note>, Paged>; post: Route<S.Note, { body: { text: string } }> }
  '/api/contacts/{id}/notes/{note}': { delete: Route<void> }
  '/api/contacts/{id}/timeline': { get: Route<List<S.TimelineFact>, Paged<Period & { names?: string }>> }
  '/api/contacts/{id}/orders': { get: Route<List<S.Order>, Paged> }
  '/api/contacts/{id}/unmask': { post: Route<{ value: string }, { body: { field: string; reason: string } }> }
  '/api/tags': {
    get: Route<{ groups: S.TagGroup[] }>
    post: Route<S.TagRef, { body: { group: string; name: string; color?: string } }>
  }

  '/api/orders': {
    get: Route<List<S.Order>, Paged<Period & { q?: string; contact?: string; state?: S.OrderState }>>
  }
  '/api/orders/{id}': { get: Route<S.Order> }

  '/api/overview': { get: Route<S.Overview, { query: Period & { channel?: string; currency?: string } }> }
  '/api/people': { get: Route<List<S.ContactRow>, Paged<Period & { metric: string; channel?: string; currency?: string }>> }
  '/api/search': { get: Route<S.SearchResult, { query: { q: string } }> }

  '/api/system': { get: Route<S.SystemStatus> }
  '/api/settings': { get: Route<S.Company>; patch: Route<S.Company, { body: Partial<S.Company> }> }
}

/** Every path with its methods. */
export type paths = { [P in keyof Routes & string]: Path<P, Routes[P]> }

/** The named shapes. */
export interface components {
  schemas: { Problem: S.Problem }
}

export type * from './shapes'
