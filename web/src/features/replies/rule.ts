import type { Reply, ReplyContent, ReplyInput } from '@/shared/api/types'

/** A rule as it is sent: without what the server adds. */
export const inputOf = (r: Reply): ReplyInput => ({
  account: r.account,
  name: r.name,
  kind: r.kind,
  words: r.words ?? [],
  contents: r.contents ?? [],
  tags: r.tags ?? [],
  off: r.off ?? false,
  from: r.from,
  until: r.until,
  everyHours: r.everyHours ?? 0,
})

/** What a new rule of a kind begins with. */
export const firstOf = (account: string, kind: ReplyInput['kind']): ReplyInput => ({
  account,
  name: '',
  kind,
  words: kind === 'keyword' ? [{ text: '', match: 'contains' }] : [],
  contents: [{ kind: 'text', text: '' }],
  tags: [],
  off: false,
  everyHours: kind === 'off_hours' || kind === 'default' ? 1 : 0,
})

/** Whether the fields of a content that must be there are. */
export function complete(c: ReplyContent): boolean {
  const has = (s: string | undefined) => (s ?? '').trim() !== ''
  if (c.kind === 'text') return has(c.text)
  if (c.kind === 'image') return has(c.file)
  if (c.kind === 'link') return has(c.title) && has(c.url)
  return has(c.title) && has(c.appId) && has(c.appPath) && has(c.file)
}

/** Moves one of a list, by its index. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const out = [...list]
  const [x] = out.splice(from, 1)
  if (x !== undefined) out.splice(to, 0, x)
  return out
}
