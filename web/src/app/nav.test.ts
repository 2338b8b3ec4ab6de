import { describe, expect, it } from 'vitest'
import { pages } from './routes'
import { landing, NAV, navFor, navItemAt } from './nav'

const paths = (permissions: string[]) => navFor(permissions).flatMap((g) => g.items.map((i) => i.path))

describe('navigation', () => {
  it('shows only what the user may open, without empty groups', () => {
    expect(paths(['contact.read', 'jobs.read'])).toEqual(['/contacts', '/follow-ups', '/tags', '/attributes', '/matches', '/consent', '/jobs'])
    expect(navFor(['contact.read', 'jobs.read']).map((g) => g.key)).toEqual(['customers', 'system'])
    expect(navFor([])).toEqual([])
    // The simulator's page is the demo's.
    expect(paths(['connector.read'])).not.toContain('/be-a-customer')
    expect(navFor(['connector.read'], true).flatMap((g) => g.items.map((i) => i.path))).toContain('/be-a-customer')
    // What channels cost is of everybody's customers: a salesperson sees their own codes and links.
    expect(navFor(['acquire.read'], false, false).flatMap((g) => g.items.map((i) => i.path))).toEqual(['/live-codes', '/links', '/scene-codes', '/replies', '/groups'])
    expect(paths(['acquire.read'])).toContain('/channels')
    // Writing alone opens no list.
    expect(paths(['contact.write', 'import.write'])).toEqual([])
  })
  it('finds the entry of a page inside', () => {
    expect(navItemAt('/contacts/01J')?.item.path).toBe('/contacts')
    expect(navItemAt('/system')?.item.path).toBe('/system')
    expect(navItemAt('/systematic')).toBeUndefined()
    expect(navItemAt('/account')).toBeUndefined()
  })
  it('lands on the first page the user may open', () => {
    expect(landing(['order.read', 'overview.read'])).toBe('/home')
    expect(landing(['order.read'])).toBe('/orders')
    expect(landing([])).toBe('/account')
  })
  it('leads each path to one page', () => {
    const all = pages.map((p) => p.path)
    expect(all.filter((p, i) => all.indexOf(p) !== i)).toEqual([])
  })
  it('has no path twice', () => {
    const all = NAV.flatMap((g) => g.items.map((i) => i.path))
    expect(new Set(all).size).toBe(all.length)
  })
})
