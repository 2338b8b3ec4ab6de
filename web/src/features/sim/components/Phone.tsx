import { CircleUser, Compass, MessageCircle, ScanLine, Signal, Wifi } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { SimAct, SimPhone, SimWorld } from '@/shared/api/types'
import { Switch } from '@/shared/ui/kit'
import { Avatar } from './Avatar'
import { ChatList } from './ChatList'
import { ChatView } from './ChatView'
import { MiniView } from './MiniView'
import { Moments } from './Moments'
import { ScanSheet } from './ScanSheet'
import css from './sim.module.css'

const TABS = [
  ['chats', MessageCircle],
  ['moments', Compass],
  ['me', CircleUser],
] as const
type Tab = (typeof TABS)[number][0]

interface Props {
  phone: SimPhone
  world: SimWorld
  busy: boolean
  /** The conversation that is open, as kind:id; scan is the camera; nothing is the list. */
  at: string | undefined
  onGo: (to: string | undefined) => void
  onAct: (act: SimAct) => void
  onScan: (code: string) => void
  onOpen: (url: string) => void
}

/** Somebody's phone. */
export function Phone({ phone, world, busy, at, onGo, onAct, onScan, onOpen }: Props) {
  const { t } = useTranslation('sim')
  const [tab, setTab] = useState<Tab>('chats')
  const chats = phone.chats ?? []
  const chat = chats.find((c) => `${c.kind}:${c.id}` === at)
  return (
    <div className={css.phone}>
      <div className={css.glass} role="region" aria-label={t('phone.label', { name: phone.person.name })}>
        <div className={css.status} aria-hidden>
          <Clock />
          <span>
            <Signal size={13} /> <Wifi size={13} /> <i />
          </span>
        </div>
        {at === 'scan' ? (
          <ScanSheet world={world} busy={busy} onScan={onScan} onBack={() => onGo(undefined)} />
        ) : chat?.kind === 'mini' ? (
          <MiniView key={at} chat={chat} person={phone.person} busy={busy} onBack={() => onGo(undefined)} onAct={onAct} onOpen={onOpen} />
        ) : chat ? (
          <ChatView key={at} chat={chat} person={phone.person} busy={busy} onBack={() => onGo(undefined)} onAct={onAct} onOpen={onOpen} />
        ) : (
          <>
            <header className={css.bar}>
              <span />
              <div>
                <b>{t(`tab.${tab}`)}</b>
              </div>
              <button type="button" onClick={() => onGo('scan')} aria-label={t('phone.scan')}>
                <ScanLine size={20} aria-hidden />
              </button>
            </header>
            <div className={css.screen}>
              {tab === 'chats' && <ChatList chats={chats} onPick={(c) => onGo(`${c.kind}:${c.id}`)} onScan={() => onGo('scan')} />}
              {tab === 'moments' && <Moments phone={phone} onAct={onAct} onOpen={onOpen} />}
              {tab === 'me' && <Me phone={phone} world={world} onAct={onAct} />}
            </div>
            <nav className={css.tabs} aria-label={t('phone.tabs')}>
              {TABS.map(([key, Icon]) => (
                <button key={key} type="button" aria-pressed={tab === key} onClick={() => setTab(key)}>
                  <Icon size={22} strokeWidth={1.6} aria-hidden />
                  {t(`tab.${key}`)}
                </button>
              ))}
            </nav>
          </>
        )}
      </div>
    </div>
  )
}

function Clock() {
  return <b className="kp-num">{new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' }).format(new Date())}</b>
}

/** The person, the groups they could enter, the service they could ask, and what they would refuse. */
function Me({ phone, world, onAct }: { phone: SimPhone; world: SimWorld; onAct: (act: SimAct) => void }) {
  const { t } = useTranslation('sim')
  const who = phone.person.id
  const inside = new Set((phone.chats ?? []).filter((c) => c.kind === 'group' && c.state === 'member').map((c) => c.id))
  const follows = new Set((phone.chats ?? []).filter((c) => c.kind === 'account' && c.state === 'open').map((c) => c.id))
  const groups = (world.corps ?? []).flatMap((c) => c.groups ?? [])
  const services = (world.corps ?? []).flatMap((c) => c.services ?? [])
  return (
    <div className={css.me}>
      <div className={css.card0}>
        <Avatar id={who} size={60} />
        <div>
          <b>{phone.person.name}</b>
          <small>{phone.person.city}</small>
        </div>
      </div>
      <label>
        <span>{t('me.refuse')}</span>
        <Switch checked={!!phone.person.refusesTransfer} onChange={(on) => onAct({ does: on ? 'refuse' : 'agree', who })} aria-label={t('me.refuse')} />
      </label>
      {groups.map((g) => (
        <label key={g.id}>
          <span>
            {g.name} <small>{t('me.members', { count: g.members })}</small>
          </span>
          <button type="button" onClick={() => onAct({ does: inside.has(g.id) ? 'leave' : 'join', who, what: g.id })}>
            {t(inside.has(g.id) ? 'me.leave' : 'me.join')}
          </button>
        </label>
      ))}
      {(world.apps ?? []).map((a) => (
        <label key={a.id}>
          <span>
            {a.name} <small>{t(a.kind === 'mini' ? 'me.mini' : 'me.account')}</small>
          </span>
          <button type="button" onClick={() => onAct({ does: a.kind === 'mini' ? 'launch' : follows.has(a.id) ? 'unfollow' : 'follow', who, with: a.id })}>
            {t(a.kind === 'mini' ? 'me.launch' : follows.has(a.id) ? 'me.unfollow' : 'me.follow')}
          </button>
        </label>
      ))}
      {services.map((s) => (
        <label key={s.id}>
          <span>{s.name}</span>
          <button type="button" onClick={() => onAct({ does: 'ask', who, with: s.id, text: t('me.hello') })}>
            {t('me.ask')}
          </button>
        </label>
      ))}
    </div>
  )
}
