import { describe, expect, it } from 'vitest'
import type { ImportField, Upload } from '@/shared/api/types'
import { applySaved, doubled, missing } from './mapping'

const field = (id: string, required: boolean): ImportField => ({ id, label: id, group: 'order', type: 'text', required })

describe('column mapping', () => {
  it('names required fields without a column', () => {
    const fields = [field('number', true), field('paidAt', true), field('note', false)]
    expect(missing(fields, { columns: { A: 'number', B: '' } }).map((f) => f.id)).toEqual(['paidAt'])
  })
  it('finds fields claimed twice, but lets tags and attributes repeat', () => {
    expect(doubled({ columns: { A: 'phone', B: 'phone', C: 'tag', D: 'tag', E: 'attr:x', F: 'attr:x', G: '', H: '' } })).toEqual(['phone'])
  })
  it('takes a saved mapping where columns match and the guess elsewhere', () => {
    const upload = { columns: [{ index: 0, name: 'A', samples: [] }, { index: 1, name: 'B', samples: [] }] } as unknown as Upload
    expect(applySaved(upload, { columns: { A: 'phone', Z: 'name' } }, { columns: { A: 'name', B: 'email' } })).toEqual({ columns: { A: 'phone', B: 'email' } })
  })
})
