import type { TFunction } from 'i18next'

/** The kinds of account that we have words for, those that most companies begin with first. */
const KNOWN = { wecom: 'wecom', wechat: 'wechat', miniprogram: 'miniprogram', 'sms.aliyun': 'aliyun', 'sms.tencent': 'tencent', mail: 'mail' } as const

const ORDER = Object.keys(KNOWN)

/** Puts kinds of account in the order of a newcomer; kinds without words come last, as they were. */
export function inOrder<K extends { name: string }>(kinds: readonly K[]): K[] {
  const rank = (k: K) => (ORDER.includes(k.name) ? ORDER.indexOf(k.name) : ORDER.length)
  return [...kinds].sort((a, b) => rank(a) - rank(b))
}

/** What an account of a kind is for, in a line; undefined for a kind without words. */
export function purposeOf(name: string, t: TFunction<'connectors'>): string | undefined {
  return name in KNOWN ? t(`new.what.${KNOWN[name as keyof typeof KNOWN]}`) : undefined
}

/** Values of settings that are ours and have words. Others are the platform's own and read as they are. */
const WORDS = ['safe', 'plain', 'tls', 'starttls', 'none', 'yes', 'no'] as const

/** A setting's value in words. */
export function optionOf(value: string, t: TFunction<'connectors'>): string {
  const known = WORDS.find((w) => w === value)
  return known ? t(`settings.option.${known}`) : value
}
