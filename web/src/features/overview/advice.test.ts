import { beforeAll, describe, expect, it } from 'vitest'
import { initI18n, loadNamespaces } from '@/shared/i18n/i18n'
import { adviceLink, adviceParams, adviceText } from './advice'
import zh from './locales/zh-CN.json'

const words = { lang: 'zh-CN', currency: 'CNY', channelName: (id: string) => (id === 'social' ? '社交媒体' : id) }

beforeAll(async () => {
  await initI18n('zh-CN')
  await loadNamespaces('overview')
})

describe('adviceParams', () => {
  it('writes ratios, money and channels out, and leaves counts to the catalogue', () => {
    expect(adviceParams({ share: 0.423, channel: 'social', amount: 123456, count: 1200 }, words)).toEqual({
      share: '42.3%',
      channel: '社交媒体',
      amount: '¥1,235',
      count: 1200,
    })
  })
})

describe('adviceText', () => {
  it('fills in the words of the code', () => {
    const text = adviceText({ code: 'weak_channel', params: { channel: 'social', rate: 0.02, average: 0.1, share: 0.3 }, severity: 'warn', link: '/people' }, words)
    expect(text.title).toContain('社交媒体')
    expect(text.desc).toContain('30.0%')
    expect(text.desc).not.toContain('{{')
  })

  it('shows an unknown code as it is, so that a newer server never breaks the page', () => {
    expect(adviceText({ code: 'from_the_future', params: {}, severity: 'info', link: '/' }, words)).toEqual({ title: 'from_the_future', desc: '' })
  })

  it('has a title and a text for every code', () => {
    for (const code of Object.keys(zh.advice)) {
      const text = adviceText({ code, params: { count: 1, share: 0.5 }, severity: 'info', link: '/' }, words)
      expect([code, text.title !== code, text.desc !== '']).toEqual([code, true, true])
    }
  })
})

describe('adviceLink', () => {
  it('follows console paths only', () => {
    expect(adviceLink('/keys')).toBe('/keys')
    expect(adviceLink('//evil.example')).toBeUndefined()
    expect(adviceLink('https://evil.example')).toBeUndefined()
    expect(adviceLink('javascript:alert(1)')).toBeUndefined()
  })
})
