import type { SimEntry } from '@/shared/api/types'

/** How many entries stay on screen. */
export const KEEP = 300

/** Puts newly told entries behind the old ones, without repeats, and forgets the oldest. */
export function takeIn(old: SimEntry[], fresh: SimEntry[]): SimEntry[] {
  const last = old.at(-1)?.n ?? 0
  const newest = fresh.at(-1)?.n ?? 0
  if (newest === 0 || newest === last) return old
  if (newest < last) return fresh.slice(-KEEP) // numbers that begin anew are those of another run of the program
  return [...old, ...fresh.filter((e) => e.n > last)].slice(-KEEP)
}

/** What concerns one customer, and, on request, what concerns nobody: tokens, the directory. */
export function about(entries: SimEntry[], externals: readonly string[], everything: boolean): SimEntry[] {
  if (everything) return entries
  return entries.filter((e) => e.about !== undefined && externals.includes(e.about))
}

/** How an entry stands: what failed is not hidden among what went well. */
export function toneOf(e: SimEntry): 'good' | 'bad' | 'neutral' {
  if (e.kind === 'act') return 'neutral'
  if (e.kind === 'callback') return e.code === 200 ? 'good' : 'bad'
  return e.code === 0 && e.note !== 'lost' ? 'good' : 'bad'
}

/** The events and calls that have words of their own; the others show their names. */
export const KNOWN = [
  'change_external_contact.add_external_contact',
  'change_external_contact.add_half_external_contact',
  'change_external_contact.edit_external_contact',
  'change_external_contact.del_external_contact',
  'change_external_contact.del_follow_user',
  'change_external_contact.transfer_fail',
  'change_external_chat.update',
  'change_external_chat.create',
  'change_external_tag.create',
  'change_contact.create_user',
  'change_contact.delete_user',
  'kf_msg_or_event',
  'externalcontact/send_welcome_msg',
  'externalcontact/get',
  'externalcontact/remark',
  'externalcontact/mark_tag',
  'externalcontact/add_contact_way',
  'externalcontact/update_contact_way',
  'externalcontact/del_contact_way',
  'externalcontact/add_msg_template',
  'externalcontact/list',
  'externalcontact/batch/get_by_user',
  'externalcontact/get_corp_tag_list',
  'externalcontact/add_corp_tag',
  'subscribe',
  'unsubscribe',
  'SCAN',
  'CLICK',
  'VIEW',
  'view_miniprogram',
  'message.text',
  'TEMPLATESENDJOBFINISH',
  'MASSSENDJOBFINISH',
  'subscribe_msg_popup_event',
  'subscribe_msg_sent_event',
  'cgi-bin/message/custom/send',
  'cgi-bin/message/template/send',
  'cgi-bin/message/subscribe/send',
  'cgi-bin/message/subscribe/bizsend',
  'cgi-bin/message/mass/sendall',
  'cgi-bin/menu/create',
  'cgi-bin/menu/get',
  'cgi-bin/qrcode/create',
  'cgi-bin/user/info',
  'cgi-bin/stable_token',
  'sns/jscode2session',
  'sns/oauth2/access_token',
  'wxa/business/getuserphonenumber',
  'gettoken',
  'kf/sync_msg',
  'kf/send_msg',
  'message/send',
  'sms.receipt',
  'sms.reply',
  'sms/SendSms',
  'mail',
  'mail.bounce',
  'mail.complaint',
] as const

export type Known = (typeof KNOWN)[number]

export function isKnown(name: string): name is Known {
  return (KNOWN as readonly string[]).includes(name)
}

/** What somebody did, as the diary calls it. */
export const ACTS = ['scan', 'accept', 'chat', 'reply', 'ask', 'open', 'delete', 'remove', 'join', 'leave', 'invent', 'confirm', 'publish', 'like', 'comment', 'label', 'note', 'hire', 'quit', 'make_group', 'follow', 'unfollow', 'press', 'locate', 'launch', 'phone', 'allow', 'deny', 'passive_reply', 'bad_reply', 'answer', 'number', 'mailbox', 'read', 'report', 'unsubscribe'] as const
export type ActName = (typeof ACTS)[number]
export function isAct(name: string): name is ActName {
  return (ACTS as readonly string[]).includes(name)
}

/** A text with its addresses as links of their own. */
export function linked(text: string): { text: string; url?: string }[] {
  const out: { text: string; url?: string }[] = []
  let from = 0
  for (const m of text.matchAll(/https?:\/\/[^\s，。；！？、）】》"'<>]+/g)) {
    if (m.index > from) out.push({ text: text.slice(from, m.index) })
    out.push({ text: m[0], url: m[0] })
    from = m.index + m[0].length
  }
  if (from < text.length) out.push({ text: text.slice(from) })
  return out
}
