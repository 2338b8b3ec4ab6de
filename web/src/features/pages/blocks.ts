import type { LandingBlock, LandingDesign } from '@/shared/api/types'

export const KINDS = ['headline', 'text', 'picture', 'form'] as const
export type BlockKind = (typeof KINDS)[number]

/** A block with the key under which React knows it: blocks move and repeat. */
export type Keyed = LandingBlock & { key: number }

let last = 0
/** Gives blocks keys. */
export const keyed = (blocks: readonly LandingBlock[]): Keyed[] => blocks.map((b) => ({ ...b, key: ++last }))

/** Blocks as the server takes them. */
export const plain = (blocks: readonly Keyed[]): LandingBlock[] =>
  blocks.map(({ key: _, ...b }) => b)

/** A new block; a form begins with the phone number, by which people are recognised. */
export function newBlock(kind: BlockKind): Keyed {
  const block: LandingBlock = kind === 'form' ? { kind, fields: [{ key: 'phone', required: true }, { key: 'name' }], consents: [] } : { kind, text: '' }
  return { ...block, key: ++last }
}

/** Moves one of a list; beyond an end nothing changes. */
export function moved<T>(list: readonly T[], from: number, by: -1 | 1): T[] {
  const to = from + by
  if (to < 0 || to >= list.length) return [...list]
  const out = [...list]
  const [one] = out.splice(from, 1)
  out.splice(to, 0, one as T)
  return out
}

/** Which kinds can be added: a page has one form. */
export const offered = (blocks: readonly LandingBlock[]): BlockKind[] => KINDS.filter((k) => k !== 'form' || !blocks.some((b) => b.kind === 'form'))

/** An address made of a title: what is no Latin letter or digit falls away. */
export function slugOf(title: string): string {
  return title
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60)
    .replace(/-+$/, '')
}

/** What a new page begins with. */
export const firstDesign = (lang: string): LandingDesign => ({ lang: lang === 'en' ? 'en' : 'zh-CN', color: '#2f5d7c', blocks: plain([newBlock('headline'), newBlock('text'), newBlock('form')]), thanks: {} })
