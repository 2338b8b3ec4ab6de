import { describe, expect, it } from 'vitest'
import { linksAsCSV, readNetworks, wholeAddress } from './address'

describe('links as they leave the console', () => {
  it('stand at the address where customers reach the server', () => {
    expect(wholeAddress({ path: '/l/abc', url: 'https://go.example.com/l/abc' }, 'http://127.0.0.1')).toBe('https://go.example.com/l/abc')
    expect(wholeAddress({ path: '/l/abc' }, 'http://127.0.0.1:8080')).toBe('http://127.0.0.1:8080/l/abc')
  })
  it('reads ranges as people paste them', () => {
    expect(readNetworks(' 203.0.113.0/24\n198.51.100.7, 203.0.113.0/24；2001:db8::/32 ')).toEqual(['203.0.113.0/24', '198.51.100.7', '2001:db8::/32'])
    expect(readNetworks('')).toEqual([])
  })
  it('writes files that a spreadsheet reads as text', () => {
    expect(linksAsCSV(['a', 'b'], [['x,y', 'say "hi"'], ['=1+1', '茶']])).toBe('\ufeffa,b\r\n"x,y","say ""hi"""\r\n\'=1+1,茶\r\n')
  })
})
