import { describe, expect, it } from 'vitest'
import { initialLang, resolveLang } from './lang'

describe('language', () => {
  it.each([
    ['zh', 'zh-CN'],
    ['zh-CN', 'zh-CN'],
    ['zh-Hans', 'zh-CN'],
    ['zh-SG', 'zh-CN'],
    ['zh-Hant-TW', 'zh-CN'],
    ['ZH-hans-CN', 'zh-CN'],
    ['en-GB', 'en'],
    ['de', 'en'],
    ['zha', 'en'], // Zhuang is not Chinese
  ])('%s reads %s', (tag, want) => expect(resolveLang(tag)).toBe(want))

  it('prefers what was chosen before, then the browser, then Chinese', () => {
    expect(initialLang('en', ['zh-CN'])).toBe('en')
    expect(initialLang(null, ['fr-FR', 'zh-CN'])).toBe('en')
    expect(initialLang(null, ['zh-SG'])).toBe('zh-CN')
    expect(initialLang(null, [])).toBe('zh-CN')
  })
})
