import { useQueryClient } from '@tanstack/react-query'
import { LogOut, UserRound } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { signOut } from '@/features/session/queries'
import { useMe } from '@/shared/lib/session'
import { useToast } from '@/shared/ui/feedback'
import { Dropdown } from '@/shared/ui/kit'
import { NameMark } from '@/shared/ui/values'

/** The signed-in user's corner: who they are, their account, and the way out. */
export function AccountMenu() {
  const { t } = useTranslation('app')
  const me = useMe()
  const go = useNavigate()
  const leave = useSignOut()
  return (
    <Dropdown
      trigger={['click']}
      placement="bottomRight"
      menu={{
        items: [
          {
            key: 'who',
            type: 'group',
            label: (
              <span className="kp-menu-who">
                <b>{me.user.name}</b>
                <span>{me.user.email}</span>
                <span>{me.user.roleName}</span>
              </span>
            ),
          },
          { type: 'divider' },
          { key: 'account', icon: <UserRound size={15} aria-hidden />, label: t('me.account'), onClick: () => void go('/account') },
          { key: 'out', icon: <LogOut size={15} aria-hidden />, label: t('me.signOut'), onClick: () => void leave() },
        ],
      }}
    >
      <button type="button" className="kp-me" aria-label={t('me.menu', { name: me.user.name })}>
        <NameMark name={me.user.name} size={30} />
      </button>
    </Dropdown>
  )
}

/** Signs out, forgets what was loaded, and goes to the sign-in page. */
export function useSignOut(): () => Promise<void> {
  const client = useQueryClient()
  const go = useNavigate()
  const toast = useToast()
  return async () => {
    try {
      await signOut()
    } catch (error) {
      toast.failed(error)
      return
    }
    await go('/sign-in', { replace: true })
    client.clear()
  }
}
