import type { Reply, ReplyAccount, ReplyContent, ReplyInput, ReplyLine } from '@/shared/api/types'

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
  if (c.kind === 'menu') return (c.lines ?? []).length > 0 && (c.lines ?? []).every((l) => [l.text, l.reply, l.url, l.appId, l.appPath].every((x) => x === undefined || has(x)))
  return has(c.title) && has(c.appId) && has(c.appPath) && has(c.file)
}

/** What an account can say by a rule of a kind, and how many of them. */
export function sayable(account: ReplyAccount['kind'], kind: ReplyInput['kind']): { parts: readonly ReplyContent['kind'][]; most: number } {
  // Whoever opens customer service and has not written yet gets one message, of these kinds.
  if (account === 'wecom' && kind === 'follow') return { parts: ['text', 'menu'], most: 1 }
  return { parts: ['text', 'image', 'link', 'miniprogram', 'menu'], most: 3 }
}

/** What a new content of a kind begins with. */
export const newPart = (kind: ReplyContent['kind']): ReplyContent => (kind === 'menu' ? { kind, lines: [{ text: '' }] } : { kind })

/** What a line of a menu does when it is tapped. */
export type LineDoes = 'words' | 'reply' | 'page' | 'app'
export const lineDoes = (l: ReplyLine): LineDoes => (l.reply !== undefined ? 'reply' : l.url !== undefined ? 'page' : l.appId !== undefined ? 'app' : 'words')
export const lineOf = (text: string, does: LineDoes): ReplyLine => ({ text, ...(does === 'reply' ? { reply: '' } : does === 'page' ? { url: '' } : does === 'app' ? { appId: '', appPath: '' } : {}) })

/** The list of contacts to whom something happened in a period, both days included. */
export function whoIn(name: string, where: { property: string; value: string }[], from: string, to: string): string {
  const rule = { v: 1, all: [{ event: { name, where: where.map((w) => ({ property: w.property, op: 'is', value: w.value })), within: { from, to } } }] }
  return `/contacts?where=${encodeURIComponent(JSON.stringify(rule))}`
}

/** Moves one of a list, by its index. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const out = [...list]
  const [x] = out.splice(from, 1)
  if (x !== undefined) out.splice(to, 0, x)
  return out
}
