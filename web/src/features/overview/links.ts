/** A console path with the parameters that have a value. */
export function pathWith(path: string, params: Record<string, string | undefined>): string {
  const query = new URLSearchParams()
  for (const [k, v] of Object.entries(params)) if (v) query.set(k, v)
  const text = query.toString()
  return text ? `${path}?${text}` : path
}

/** The people behind a number of the home page: the same instants and channel that the number was counted with. */
export function peopleLink(metric: string, filter: { from: string; to: string; channel?: string }): string {
  return pathWith('/people', { metric, from: filter.from, to: filter.to, channel: filter.channel })
}
