import { expect, it } from 'vitest'
import { mergeWhy } from './merge'

it.each([
  ['identify:phone', { by: 'identify', kind: 'phone' }],
  ['manual', { by: 'manual', kind: undefined }],
  ['fact:crm:id', { by: 'fact', kind: 'crm:id' }],
])('%s', (why, parts) => expect(mergeWhy(why)).toEqual(parts))
