import { ChevronLeft, Menu, MoreHorizontal, Send } from 'lucide-react'
import { useEffect, useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import type { SimAct, SimPhone } from '@/shared/api/types'
import { Dropdown } from '@/shared/ui/kit'
import { AccountMenu } from './AccountMenu'
import { Bubble } from './Bubble'
import css from './sim.module.css'

type Chat = NonNullable<SimPhone['chats']>[number]

interface Props {
  chat: Chat
  person: SimPhone['person']
  busy: boolean
  onBack: () => void
  onAct: (act: SimAct) => void
  onOpen: (url: string) => void
}

/** One conversation, with what its owner can do about it. */
export function ChatView({ chat, person, busy, onBack, onAct, onOpen }: Props) {
  const { t } = useTranslation('sim')
  const [text, setText] = useState('')
  const end = useRef<HTMLLIElement>(null)
  const lines = chat.lines ?? []
  const last = lines.at(-1)?.id
  useEffect(() => {
    // Newer browsers answer with a promise, which an effect must not give back.
    void end.current?.scrollIntoView({ block: 'nearest' })
  }, [last])

  const account = chat.kind === 'account'
  const [typing, setTyping] = useState(false)
  const buttons = chat.app?.buttons ?? []
  const may = chat.kind === 'kf' || chat.state === 'friends' || (account && chat.state === 'open')
  const say = (words: string) => onAct({ does: chat.kind === 'kf' || account ? 'ask' : 'chat', who: person.id, with: chat.id, text: words })
  const send = (e: FormEvent) => {
    e.preventDefault()
    const words = text.trim()
    if (!words || busy) return
    setText('')
    say(words)
  }
  const items = [
    ...(chat.kind === 'staff' && chat.state === 'friends' ? [{ key: 'delete', danger: true, label: t('chat.delete', { name: chat.name }) }] : []),
    ...(chat.kind === 'staff' && chat.state === 'pending' ? [{ key: 'accept', label: t('chat.accept', { name: chat.name }) }] : []),
    ...(chat.kind === 'group' && chat.state === 'member' ? [{ key: 'leave', danger: true, label: t('chat.leave') }] : []),
    ...(account && chat.state === 'open'
      ? [
          ...(chat.app?.places ?? []).map((x) => ({ key: `locate:${x}`, label: t('account.locate', { place: x }) })),
          ...(chat.app?.templates ?? []).map((x) => ({ key: `allow:${x.id}`, label: t('account.allow', { title: x.title }) })),
          { key: chat.app?.mutes ? 'hear' : 'mute', label: t(chat.app?.mutes ? 'account.hear' : 'account.mute') },
          { key: 'unfollow', danger: true, label: t('account.unfollow') },
        ]
      : []),
  ]
  const choose = (key: string) => {
    if (key === 'delete') onAct({ does: 'delete', who: person.id, with: chat.id })
    if (key === 'accept') onAct({ does: 'accept', who: chat.id, with: person.id })
    if (key === 'leave') onAct({ does: 'leave', who: person.id, what: chat.id })
    if (key === 'unfollow' || key === 'follow') onAct({ does: key, who: person.id, with: chat.id })
    if (key === 'mute' || key === 'hear') onAct({ does: key === 'mute' ? 'deny' : 'allow', who: person.id, with: chat.id })
    if (key.startsWith('locate:')) onAct({ does: 'locate', who: person.id, with: chat.id, what: key.slice('locate:'.length) })
    if (key.startsWith('allow:')) onAct({ does: 'allow', who: person.id, with: chat.id, what: key.slice('allow:'.length) })
  }
  return (
    <>
      <header className={css.bar}>
        <button type="button" onClick={onBack} aria-label={t('chat.back')}>
          <ChevronLeft size={22} aria-hidden />
        </button>
        <div>
          <b>{chat.name}</b>
          {chat.about && <small>@{chat.about}</small>}
        </div>
        {items.length > 0 ? (
          <Dropdown trigger={['click']} placement="bottomRight" menu={{ items, onClick: (e) => choose(e.key) }}>
            <button type="button" aria-label={t('chat.more')}>
              <MoreHorizontal size={20} aria-hidden />
            </button>
          </Dropdown>
        ) : (
          <span />
        )}
      </header>
      <ol className={css.lines} aria-label={t('chat.lines', { name: chat.name })} aria-live="polite">
        {lines.map((l) => (
          <Bubble key={l.id} line={l} face={l.from === 'me' ? person.id : chat.kind === 'staff' || account ? chat.id : 'app'} onOpen={onOpen} onChoose={(m) => onAct({ does: 'tap', who: person.id, with: chat.id, what: m.id })} />
        ))}
        {chat.state === 'pending' && (
          <li className={css.note}>
            <button type="button" className={css.url} onClick={() => choose('accept')}>
              {t('chat.accept', { name: chat.name })}
            </button>
          </li>
        )}
        <li ref={end} aria-hidden className={css.end} />
      </ol>
      {account && chat.state === 'gone' ? (
        <p className={css.mute}>
          <button type="button" className={css.url} disabled={busy} onClick={() => choose('follow')}>
            {t('account.follow')}
          </button>
        </p>
      ) : account && buttons.length > 0 && !typing ? (
        <AccountMenu
          buttons={buttons}
          busy={busy}
          onType={() => setTyping(true)}
          onPress={(b) => {
            onAct({ does: 'press', who: person.id, with: chat.id, what: b.at })
            if (b.type === 'view' && b.url) onOpen(b.url)
          }}
        />
      ) : may ? (
        <form className={css.compose} onSubmit={send}>
          {account && buttons.length > 0 && (
            <button type="button" className={css.swap} onClick={() => setTyping(false)} aria-label={t('account.menu')}>
              <Menu size={18} aria-hidden />
            </button>
          )}
          <input value={text} onChange={(e) => setText(e.target.value)} placeholder={t('chat.placeholder')} aria-label={t('chat.placeholder')} maxLength={1000} enterKeyHint="send" />
          <button type="submit" disabled={!text.trim() || busy} aria-label={t('chat.send')}>
            <Send size={17} aria-hidden />
          </button>
        </form>
      ) : (
        <p className={css.mute}>{t(chat.kind === 'group' ? 'chat.groupMute' : chat.state === 'pending' ? 'chat.pending' : 'chat.gone')}</p>
      )}
    </>
  )
}
