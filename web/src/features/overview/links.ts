/** A console path with the parameters that have a value. */
export function pathWith(path: string, params: Record<string, string | undefined>): string {
  const query = new URLSearchParams()
  for (const [k, v] of Object.entries(params)) if (v) query.set(k, v)
  const text = query.toString()
  return text ? `${path}?${text}` : path
}

/** What the home page's numbers are counted over. */
export interface Scope {
  from: string
  to: string
  channel?: string
  currency: string
}

/** Numbers that depend on the currency they are counted in. */
const IN_MONEY = new Set(['buyers', 'repeat'])

/** The people behind a number of the home page: counted over exactly what the number was counted over. */
export function peopleLink(metric: string, scope: Scope): string {
  const { from, to, channel, currency } = scope
  return pathWith('/people', { metric, from, to, channel, currency: IN_MONEY.has(metric) ? currency : undefined })
}

/** Completes a link to people that does not say which period it means: the one on screen. */
export function withScope(link: string, scope: Scope): string {
  const [path, query] = link.split('?')
  const params = new URLSearchParams(query)
  const metric = params.get('metric')
  if (path !== '/people' || !metric || params.has('from')) return link
  return peopleLink(metric, { ...scope, channel: params.get('channel') ?? scope.channel })
}
