import type { ImportField, Mapping, Upload } from '@/shared/api/types'

/** Ways to use a column besides the known fields. */
export const ATTRIBUTE = 'attr:'
export const PROPERTY = 'prop:'

/** Required fields that no column is mapped to. */
export function missing(fields: ImportField[], mapping: Mapping): ImportField[] {
  const used = new Set(Object.values(mapping.columns))
  return fields.filter((f) => f.required && !used.has(f.id))
}

/** Fields that more than one column claims, though each can hold only one. Tags, attributes and properties may repeat. */
export function doubled(mapping: Mapping): string[] {
  const seen = new Set<string>()
  const twice = new Set<string>()
  for (const id of Object.values(mapping.columns)) {
    if (!id || id === 'tag' || id.startsWith(ATTRIBUTE) || id.startsWith(PROPERTY)) continue
    if (seen.has(id)) twice.add(id)
    seen.add(id)
  }
  return [...twice]
}

/** A saved mapping as far as this file has its columns; the rest keeps the guess. */
export function applySaved(upload: Upload, saved: Mapping, guess: Mapping): Mapping {
  const columns: Record<string, string> = {}
  for (const c of upload.columns) columns[c.name] = saved.columns[c.name] ?? guess.columns[c.name] ?? ''
  return { columns }
}
