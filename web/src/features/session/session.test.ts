import { describe, expect, it } from 'vitest'
import { agentName } from './agent'
import { safeNext } from './next'
import { refusal, strength } from './password'

describe('safeNext', () => {
  it.each([
    ['/contacts?q=a', '/contacts?q=a'],
    [null, '/'],
    ['', '/'],
    ['https://evil.example/', '/'],
    ['//evil.example/', '/'],
    ['/\\evil.example', '/'],
    ['javascript:alert(1)', '/'],
    ['/sign-in?next=/sign-in', '/'],
    ['/setup', '/'],
  ])('%s leads to %s', (next, want) => expect(safeNext(next)).toBe(want))
})

describe('password', () => {
  it.each([
    ['short', 'koi'],
    ['digits', '13800138000'],
    ['repeats', 'aaaabbbb11'],
    ['email', 'zhixia.shen'],
  ])('is refused as %s: %s', (why, password) => {
    expect(refusal(password, 'Zhixia.Shen@example.com')).toBe(why)
    expect(strength(password, 'zhixia.shen@example.com')).toBe(0)
  })
  it('counts signs and not bytes', () => {
    expect(refusal('池塘里有九条红锦鲤')).toBe('short')
    expect(refusal('池塘里有九条红色锦鲤')).toBeUndefined()
  })
  it('grows with length and variety', () => {
    const grades = ['pondpondkoi', 'pondpondkoi7', 'Pondpondkoi7', 'Pond-pond-koi-7', 'Pond-pond-koi-7-lotus'].map((p) => strength(p))
    expect(grades).toEqual([1, 1, 2, 4, 4])
  })
})

it('agentName reads what people use', () => {
  expect(agentName('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit MicroMessenger/8.0.5 Safari/604.1')).toBe('WeChat · iOS')
  expect(agentName('Mozilla/5.0 (Windows NT 10.0) AppleWebKit Chrome/140 Safari/537 Edg/140')).toBe('Edge · Windows')
  expect(agentName('Mozilla/5.0 (Linux; Android 15; HarmonyOS) Chrome/120 Safari/537')).toBe('Chrome · HarmonyOS')
  expect(agentName('curl/8.5')).toBeUndefined()
})
