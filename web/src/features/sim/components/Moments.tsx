import { Heart } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import type { SimAct, SimPhone } from '@/shared/api/types'
import { Avatar } from './Avatar'
import { Bubble } from './Bubble'
import css from './sim.module.css'
import { Time } from './Time'

/** What colleagues have published to this person's circle. */
export function Moments({ phone, onAct, onOpen }: { phone: SimPhone; onAct: (act: SimAct) => void; onOpen: (url: string) => void }) {
  const { t } = useTranslation('sim')
  const list = phone.moments ?? []
  if (list.length === 0)
    return (
      <div className={css.blank}>
        <b>{t('moments.none')}</b>
        <p>{t('moments.noneDesc')}</p>
      </div>
    )
  return (
    <ul className={css.moments}>
      {list.map((m) => (
        <li key={m.id + m.staff}>
          <Avatar id={m.staff} size={40} />
          <div>
            <b>{m.name}</b>
            <ol>
              {(m.lines ?? []).map((l, i) => (
                <Bubble key={i} line={l} face={m.staff} onOpen={onOpen} onChoose={() => undefined} />
              ))}
            </ol>
            <footer>
              <Time at={m.at} />
              <button type="button" aria-pressed={m.liked} disabled={m.liked} onClick={() => onAct({ does: 'like', who: phone.person.id, with: m.staff, what: m.id })}>
                <Heart size={15} fill={m.liked ? 'currentColor' : 'none'} aria-hidden /> {t(m.liked ? 'moments.liked' : 'moments.like')}
              </button>
            </footer>
            {m.replies?.map((r, i) => (
              <p key={i}>{r}</p>
            ))}
          </div>
        </li>
      ))}
    </ul>
  )
}
