import { describe, expect, it } from 'vitest'
import { nameOf } from './scene'

describe('a code that can be scanned', () => {
  const names = new Map([['sc_1', '湖滨店收银台']])
  it('is called by its name where it is a scene code', () => expect(nameOf('koi-sc-sc_1', names)).toBe('湖滨店收银台'))
  it('keeps what the platform keeps otherwise', () => {
    expect(nameOf('koi-sc-sc_2', names)).toBe('koi-sc-sc_2')
    expect(nameOf('koi-sc-sc_1', undefined)).toBe('koi-sc-sc_1')
    expect(nameOf('koi1-abc', names)).toBe('koi1-abc')
    expect(nameOf(undefined, names)).toBe('')
  })
})
