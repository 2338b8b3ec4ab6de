import { describe, expect, it } from 'vitest'
import { peopleLink, withScope } from './links'

const scope = { from: '2026-03-01T00:00:00Z', to: '2026-03-08T00:00:00Z', channel: 'social', currency: 'USD' }
const query = (link: string) => Object.fromEntries(new URL(link, 'http://x').searchParams)

describe('peopleLink', () => {
  it('carries what the number was counted over', () => {
    expect(query(peopleLink('new', scope))).toEqual({ metric: 'new', from: scope.from, to: scope.to, channel: 'social' })
  })

  it('carries the currency where it decides who counts', () => {
    expect(query(peopleLink('repeat', scope)).currency).toBe('USD')
    expect(query(peopleLink('active', scope)).currency).toBeUndefined()
  })
})

describe('withScope', () => {
  it('gives a link to people the period on screen', () => {
    expect(query(withScope('/people?metric=new&channel=unknown', scope))).toEqual({ metric: 'new', from: scope.from, to: scope.to, channel: 'unknown' })
    expect(query(withScope('/people?metric=buyers', scope)).channel).toBe('social')
  })

  it.each(['/people?metric=new&from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z', '/set-aside', '/dictionary?tab=violations', '/people'])('leaves %s alone', (link) =>
    expect(withScope(link, scope)).toBe(link))
})
