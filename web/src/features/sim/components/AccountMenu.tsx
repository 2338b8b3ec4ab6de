import { Keyboard } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { SimPhone } from '@/shared/api/types'
import css from './sim.module.css'

type Button = NonNullable<NonNullable<NonNullable<SimPhone['chats']>[number]['app']>['buttons']>[number]

interface Props {
  buttons: Button[]
  busy: boolean
  onPress: (button: Button) => void
  /** The customer wants to write instead. */
  onType: () => void
}

/** The menu at the bottom of an official account: a button does something, or opens those below it. */
export function AccountMenu({ buttons, busy, onPress, onType }: Props) {
  const { t } = useTranslation('sim')
  const [open, setOpen] = useState<string>()
  const press = (b: Button) => {
    setOpen(undefined)
    onPress(b)
  }
  return (
    <div className={css.menu} role="group" aria-label={t('account.menu')}>
      <button type="button" className={css.swap} onClick={onType} aria-label={t('account.type')}>
        <Keyboard size={18} aria-hidden />
      </button>
      {buttons.map((b) => {
        const sub = b.sub ?? []
        if (sub.length === 0)
          return (
            <button key={b.at} type="button" disabled={busy} onClick={() => press(b)}>
              {b.name}
            </button>
          )
        return (
          <span key={b.at} className={css.menuPart}>
            {open === b.at && (
              <span className={css.menuList} role="group" aria-label={b.name}>
                {sub.map((s) => (
                  <button key={s.at} type="button" disabled={busy} onClick={() => press(s)}>
                    {s.name}
                  </button>
                ))}
              </span>
            )}
            <button type="button" aria-expanded={open === b.at} onClick={() => setOpen(open === b.at ? undefined : b.at)} onKeyDown={(e) => e.key === 'Escape' && setOpen(undefined)}>
              <i aria-hidden /> {b.name}
            </button>
          </span>
        )
      })}
    </div>
  )
}
