import { useQuery } from '@tanstack/react-query'
import { ArrowLeft, ArrowRight, Trash2 } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import type { MenuButton } from '@/shared/api/types'
import { Button, Input, Select } from '@/shared/ui/kit'
import { BUTTON_KINDS, buttonAt, pathOf, put, removed, room, shifted, subs, type Place } from '../menu'
import { choicesQuery } from '../queries'
import { type FaultOf } from './Fault'
import { Labelled } from './ReplyForm'
import css from './replies.module.css'

interface Props {
  account: string
  list: readonly MenuButton[]
  at: Place
  onChange: (next: MenuButton[], at: Place | undefined) => void
  faultOf: FaultOf
}

/** What one button is called and does. */
export function ButtonForm({ account, list, at, onChange, faultOf }: Props) {
  const { t } = useTranslation('replies')
  const b = buttonAt(list, at)
  const choices = useQuery(choicesQuery(account))
  if (!b) return null
  const set = (patch: Partial<MenuButton>) => onChange(put(list, at, { ...b, ...patch }), at)
  const path = pathOf(at)
  const { bytes, most } = room(b, at)
  const opens = subs(b).length > 0
  const index = at.sub ?? at.top
  const count = at.sub === undefined ? list.length : subs(list[at.top]).length
  const move = (to: number) => {
    const done = shifted(list, at, to)
    onChange(done.list, done.at)
  }
  const field = (key: 'url' | 'appId' | 'page' | 'key', hint?: string) => (
    <Labelled key={key} label={t(`menu.field.${key}`)} fault={faultOf(`${path}.${key}`)} hint={hint}>
      <Input value={b[key] ?? ''} aria-label={t(`menu.field.${key}`)} onChange={(e) => set({ [key]: e.target.value })} />
    </Labelled>
  )
  return (
    <div className="kp-stack">
      <Labelled label={t('menu.name')} fault={faultOf(`${path}.name`)}>
        <div className="kp-row">
          <Input value={b.name} status={bytes > most ? 'error' : undefined} aria-label={t('menu.name')} maxLength={60} onChange={(e) => set({ name: e.target.value })} />
          <span className={bytes > most ? css.over : 'kp-muted kp-num'} style={{ whiteSpace: 'nowrap' }}>
            {t('form.bytes', { count: bytes, most })}
          </span>
        </div>
      </Labelled>
      {opens ? (
        <p className="kp-muted">{t('menu.opens', { count: subs(b).length })}</p>
      ) : (
        <>
          <Labelled label={t('menu.does')} fault={faultOf(`${path}.kind`)} hint={b.kind && t(`menu.kindHint.${b.kind}`)}>
            <Select<NonNullable<MenuButton['kind']>>
              aria-label={t('menu.does')}
              value={b.kind}
              onChange={(kind) => set({ kind })}
              options={[...BUTTON_KINDS, ...(b.kind === 'click' ? (['click'] as const) : [])].map((k) => ({ value: k, label: t(`menu.kind.${k}`) }))}
            />
          </Labelled>
          {b.kind === 'reply' && (
            <Labelled label={t('menu.reply')} fault={faultOf(`${path}.reply`)} hint={t('menu.replyHint')}>
              <Select
                aria-label={t('menu.reply')}
                loading={choices.isPending}
                showSearch={{ optionFilterProp: 'label' }}
                placeholder={t('menu.choose')}
                value={b.reply || undefined}
                onChange={(reply: string) => set({ reply })}
                options={(choices.data ?? []).map((r) => ({ value: r.id, label: r.off ? t('menu.resting', { name: r.name }) : r.name }))}
              />
            </Labelled>
          )}
          {b.kind === 'view' && field('url')}
          {b.kind === 'miniprogram' && [field('appId'), field('page'), field('url', t('menu.oldPhones'))]}
          {b.kind === 'click' && field('key')}
        </>
      )}
      <div className="kp-row wrap">
        <Button size="small" disabled={index === 0} icon={<ArrowLeft size={14} aria-hidden />} onClick={() => move(index - 1)}>
          {t('menu.before')}
        </Button>
        <Button size="small" disabled={index === count - 1} icon={<ArrowRight size={14} aria-hidden />} onClick={() => move(index + 1)}>
          {t('menu.after')}
        </Button>
        <span className="kp-grow" />
        <Button
          size="small"
          danger
          type="text"
          icon={<Trash2 size={14} aria-hidden />}
          onClick={() => {
            const next = removed(list, at)
            onChange(next, at.sub === undefined ? (next.length > 0 ? { top: Math.max(0, at.top - 1) } : undefined) : { top: at.top })
          }}
        >
          {t('menu.remove')}
        </Button>
      </div>
    </div>
  )
}
