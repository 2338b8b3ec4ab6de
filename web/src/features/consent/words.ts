import { useTranslation } from 'react-i18next'
import type { ConsentCell, ConsentPurpose } from '@/shared/api/types'
import { usePrefs } from '@/shared/lib/prefs'

/** A text of both languages in the reader's. */
export function useText(): (text: { zh: string; en: string }) => string {
  const { lang } = usePrefs()
  return (text) => (lang === 'en' ? text.en : text.zh)
}

/** The purpose's name, its id when it is not known, and words for do not contact. */
export function usePurposeName(purposes: readonly ConsentPurpose[] | undefined): (id: string) => string {
  const { t } = useTranslation('consent')
  const say = useText()
  return (id) => {
    if (id === 'everything') return t('everything')
    const found = purposes?.find((p) => p.id === id)
    return found ? say(found.name) : id
  }
}

/** Cells that read alike: one line of the panel. */
export interface Line {
  allowed: boolean
  reason: ConsentCell['reason']
  since?: string
  source?: ConsentCell['source']
  by?: string
  channels: ConsentCell['channel'][]
}

/** Puts cells with the same answer, from the same word, into one line; what is allowed comes first. */
export function linesOf(cells: readonly ConsentCell[]): Line[] {
  const lines: (Line & { key: string })[] = []
  for (const c of cells) {
    const key = [c.allowed, c.reason, c.since, c.source, c.by].join('|')
    const line = lines.find((l) => l.key === key)
    if (line) line.channels.push(c.channel)
    else lines.push({ key, allowed: c.allowed, reason: c.reason, since: c.since, source: c.source, by: c.by, channels: [c.channel] })
  }
  return lines.sort((a, b) => Number(b.allowed) - Number(a.allowed)).map(({ key: _, ...line }) => line)
}
