import { BellRing, CheckCircle2, ChevronLeft, CircleDashed, Smartphone } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import type { SimAct, SimPhone } from '@/shared/api/types'
import { Avatar } from './Avatar'
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

/** A mini-program: it logs in by itself, asks for the number and for leave to write, and what it wrote. */
export function MiniView({ chat, person, busy, onBack, onAct, onOpen }: Props) {
  const { t } = useTranslation('sim')
  const app = chat.app
  const act = (does: string, what?: string) => onAct({ does, who: person.id, with: chat.id, what })
  const State = app?.loggedIn ? CheckCircle2 : CircleDashed
  return (
    <>
      <header className={css.bar}>
        <button type="button" onClick={onBack} aria-label={t('chat.back')}>
          <ChevronLeft size={22} aria-hidden />
        </button>
        <div>
          <b>{chat.name}</b>
          <small>{t('me.mini')}</small>
        </div>
        <span />
      </header>
      <div className={css.mini}>
        <section>
          <Avatar id={chat.id} size={44} />
          <p>
            <b>
              <State size={15} aria-hidden /> {t(app?.loggedIn ? 'mini.in' : 'mini.out')}
            </b>
            <small className="kp-num">{app?.openid}</small>
          </p>
          <button type="button" className={css.small} disabled={busy} onClick={() => act('launch')}>
            {t(app?.loggedIn ? 'mini.again' : 'mini.login')}
          </button>
        </section>
        <section>
          <Smartphone size={20} strokeWidth={1.6} aria-hidden />
          <p>
            <b>{t('mini.phone')}</b>
            <small>{t(app?.phone ? 'mini.phoneGiven' : 'mini.phoneWhy')}</small>
          </p>
          <button type="button" className={css.small} disabled={busy || !app?.loggedIn} onClick={() => act('phone')}>
            {t('mini.give')}
          </button>
        </section>
        {(app?.templates ?? []).map((x) => (
          <section key={x.id}>
            <BellRing size={20} strokeWidth={1.6} aria-hidden />
            <p>
              <b>{x.title}</b>
              <small>{x.left > 0 ? t('mini.left', { count: x.left }) : t('mini.ask')}</small>
            </p>
            <button type="button" className={css.small} disabled={busy} onClick={() => act('deny', x.id)} aria-label={t('mini.denyOne', { title: x.title })}>
              {t('mini.deny')}
            </button>
            <button type="button" className={css.small} data-good disabled={busy} onClick={() => act('allow', x.id)} aria-label={t('mini.allowOne', { title: x.title })}>
              {t('mini.allow')}
            </button>
          </section>
        ))}
        <h3>{t('mini.notices')}</h3>
        <ol className={css.notices} aria-live="polite">
          {(chat.lines ?? []).length === 0 && <li className={css.note}>{t('mini.none')}</li>}
          {(chat.lines ?? []).map((l) => (
            <Bubble key={l.id} line={l} face={chat.id} onOpen={onOpen} onChoose={() => undefined} />
          ))}
        </ol>
      </div>
    </>
  )
}
