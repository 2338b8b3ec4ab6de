import type { ShortLink } from '@/shared/api/types'

/** A link as it is sent out: at the address where customers reach the server, else at the console's own. */
export function wholeAddress(link: Pick<ShortLink, 'url' | 'path'>, origin: string): string {
  return link.url || origin + link.path
}

/** Splits pasted lines into address ranges, without empty ones and repeats. */
export function readNetworks(text: string): string[] {
  return [...new Set(text.split(/[\s,，;；]+/).filter(Boolean))]
}

/** A file of links for a spreadsheet: one line each, with quotes where they are needed. */
export function linksAsCSV(head: string[], rows: string[][]): string {
  const cell = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  // What begins like a formula would be worked out by a spreadsheet.
  const safe = (text: string) => cell(/^[=+\-@]/.test(text) ? `'${text}` : text)
  return '\ufeff' + [head, ...rows].map((r) => r.map(safe).join(',')).join('\r\n') + '\r\n'
}
