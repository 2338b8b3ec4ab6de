import { ScanLine } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import type { SimPhone } from '@/shared/api/types'
import { Time } from './Time'
import { Avatar } from './Avatar'
import css from './sim.module.css'

type Chat = NonNullable<SimPhone['chats']>[number]

/** The conversations on a phone, newest first; with none, the way to the first one. */
export function ChatList({ chats, onPick, onScan }: { chats: Chat[]; onPick: (chat: Chat) => void; onScan: () => void }) {
  const { t } = useTranslation('sim')
  if (chats.length === 0)
    return (
      <div className={css.blank}>
        <ScanLine size={44} strokeWidth={1.2} aria-hidden />
        <b>{t('phone.none')}</b>
        <p>{t('phone.noneDesc')}</p>
        <button type="button" className={css.big} onClick={onScan}>
          {t('phone.scan')}
        </button>
      </div>
    )
  return (
    <ul className={css.chats}>
      {chats.map((c) => (
        <li key={c.kind + c.id}>
          <button type="button" onClick={() => onPick(c)} data-gone={c.state === 'gone' || undefined}>
            <span className={css.face}>
              <Avatar id={c.kind === 'staff' || c.kind === 'account' || c.kind === 'mini' ? c.id : 'app'} size={44} />
              {c.unread > 0 && <i aria-label={t('phone.unread', { count: c.unread })}>{c.unread}</i>}
            </span>
            <span className={css.chatText}>
              <span>
                <b>{c.name}</b>
                <Time at={c.at} />
              </span>
              <small>{preview(c, t)}</small>
            </span>
          </button>
        </li>
      ))}
    </ul>
  )
}

function preview(c: Chat, t: ReturnType<typeof useTranslation<'sim'>>['t']): string {
  const l = c.lines?.at(-1)
  if (c.state === 'gone') return t(c.kind === 'account' ? 'account.gone' : 'phone.gone')
  if (c.kind === 'mini' && l?.kind !== 'template') return t('me.mini')
  if (!l) return ''
  switch (l.kind) {
    case 'text':
    case 'menu':
      return l.text ?? ''
    case 'image':
      return `[${t('line.image')}]`
    case 'template':
      return `[${t('line.template')}] ${l.title ?? ''}`
    case 'link':
    case 'miniprogram':
      return `[${t(`line.${l.kind}`)}] ${l.title ?? ''}`
    case 'video':
    case 'file':
      return `[${t(`line.${l.kind}`)}]`
    default:
      return c.about ? `@${c.about}` : ''
  }
}
