import { LogOut, UserRound } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { signOut } from '@/features/session/queries'
import { useMe } from '@/shared/lib/session'
import { useToast } from '@/shared/ui/feedback'
import { Popover } from '@/shared/ui/kit'
import { NameMark } from '@/shared/ui/values'

/** The signed-in user's corner: who they are, their account, and the way out. */
export function AccountMenu() {
  const { t } = useTranslation('app')
  const me = useMe()
  const leave = useSignOut()
  const [open, setOpen] = useState(false)
  return (
    <Popover
      trigger="click"
      placement="bottomRight"
      open={open}
      onOpenChange={setOpen}
      content={
        <div className="kp-menu">
          <div className="kp-menu-who">
            <b>{me.user.name}</b>
            <span>{me.user.email}</span>
            <span>{me.user.roleName}</span>
          </div>
          <Link to="/account" onClick={() => setOpen(false)}>
            <UserRound size={15} aria-hidden />
            {t('me.account')}
          </Link>
          <button type="button" onClick={() => void leave()}>
            <LogOut size={15} aria-hidden />
            {t('me.signOut')}
          </button>
        </div>
      }
    >
      <button type="button" className="kp-me" aria-expanded={open} aria-label={t('me.menu', { name: me.user.name })}>
        <NameMark name={me.user.name} size={30} />
      </button>
    </Popover>
  )
}

/** Signs out and starts the console anew, so that nothing of this user stays in memory. */
export function useSignOut(): () => Promise<void> {
  const toast = useToast()
  return async () => {
    try {
      await signOut()
    } catch (error) {
      toast.failed(error)
      return
    }
    window.location.assign('/sign-in')
  }
}
