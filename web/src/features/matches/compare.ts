import type { Match, MatchEvidence, MatchFace } from '@/shared/api/types'

/** A stretch of a text; `off` marks what the other side does not have there. */
export interface Piece {
  text: string
  off: boolean
}

/**
 * Cuts two texts into what they have in common, in order, and what they have
 * not: by their longest common subsequence, so that one slip marks one letter.
 */
export function differences(a: string, b: string): [Piece[], Piece[]] {
  const x = [...a]
  const y = [...b]
  // by how much is common of what begins at i and j, in rows of one length
  const width = y.length + 1
  const longest = new Uint16Array((x.length + 1) * width)
  const at = (i: number, j: number) => longest[i * width + j] ?? 0
  for (let i = x.length - 1; i >= 0; i--) {
    for (let j = y.length - 1; j >= 0; j--) {
      longest[i * width + j] = x[i] === y[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const left: Piece[] = []
  const right: Piece[] = []
  let i = 0
  let j = 0
  while (i < x.length || j < y.length) {
    const c = x[i]
    const d = y[j]
    if (c !== undefined && c === d) {
      put(left, c, false)
      put(right, c, false)
      i++
      j++
    } else if (c !== undefined && (d === undefined || at(i + 1, j) >= at(i, j + 1))) {
      put(left, c, true)
      i++
    } else if (d !== undefined) {
      put(right, d, true)
      j++
    }
  }
  return [left, right]
}

function put(pieces: Piece[], text: string, off: boolean) {
  const last = pieces.at(-1)
  if (last && last.off === off) last.text += text
  else pieces.push({ text, off })
}

/** The fields in the order in which they are shown. */
const FIELDS = ['name', 'phone', 'email', 'birthday', 'gender', 'city', 'address', 'number', 'account'] as const
export type MatchField = (typeof FIELDS)[number]

/** One line of the comparison. */
export interface Line {
  field: MatchField
  a: string[]
  b: string[]
  evidence?: MatchEvidence
}

const KINDS: Partial<Record<MatchField, readonly string[]>> = {
  phone: ['phone'],
  email: ['email'],
  number: ['id_number'],
  account: ['member_no', 'user_id', 'wecom_external_userid'],
}

function valuesOf(face: MatchFace, field: MatchField): string[] {
  const kinds = KINDS[field]
  if (kinds) return face.identities.filter((i) => kinds.includes(i.kind)).map((i) => i.value)
  const value = field === 'birthday' ? face.birthday?.slice(0, 10) : face[field as 'name' | 'gender' | 'city' | 'address']
  return value ? [value] : []
}

/** Lays two people side by side, field by field; what neither says is left out. */
export function linesOf(pair: Pick<Match, 'a' | 'b' | 'evidence'>): Line[] {
  return FIELDS.map((field) => ({
    field,
    a: valuesOf(pair.a, field),
    b: valuesOf(pair.b, field),
    evidence: pair.evidence.find((e) => e.field === field),
  })).filter((l) => l.a.length > 0 || l.b.length > 0 || l.evidence)
}

/** How much a piece of evidence weighs: -3…3, none is 0. */
export function strength(bits: number): number {
  const size = Math.abs(bits)
  if (size < 0.5) return 0
  const steps = size < 3 ? 1 : size < 9 ? 2 : 3
  return bits < 0 ? -steps : steps
}

/** What reviews said of the pairs with a score: the share that was right, or nothing before there are enough. */
export function shareRight(bands: readonly { from: number; to: number; right: number; wrong: number }[], from: number, to = 100): { share: number; reviewed: number } | undefined {
  let right = 0
  let wrong = 0
  for (const b of bands) {
    if (b.to > from && b.from < to) {
      right += b.right
      wrong += b.wrong
    }
  }
  const reviewed = right + wrong
  return reviewed < 5 ? undefined : { share: right / reviewed, reviewed }
}
