import type { TagScore } from '@/shared/api/types'

/** What is left of some points after so many days. */
export const left = (points: number, days: number, halfLife: number) => points * 2 ** (-days / halfLife)

/** The score below which the tag goes, when none is given: half of the one that gives it. */
export const loseOf = (s: Pick<TagScore, 'have' | 'lose'>) => (s.lose && s.lose > 0 ? s.lose : s.have / 2)

/** After how many days the tag of somebody who just reached the score goes, if nothing more happens. */
export const lasts = (s: Pick<TagScore, 'have' | 'lose' | 'halfLife'>) => (s.have > 0 && s.halfLife > 0 ? s.halfLife * Math.log2(s.have / loseOf(s)) : 0)

/** A score to begin with. */
export const newScore = (): TagScore => ({ events: [{ name: '', weight: 1 }], halfLife: 14, have: 5 })

/** Whether everything that must be filled in is. */
export const complete = (s: TagScore) => s.halfLife >= 1 && s.have > 0 && s.events.length > 0 && s.events.every((e) => e.name !== '' && e.weight > 0)

/** Points as people read them: at most two decimals. */
export const formatPoints = (n: number, lang: string) => new Intl.NumberFormat(lang, { maximumFractionDigits: 2 }).format(n)
