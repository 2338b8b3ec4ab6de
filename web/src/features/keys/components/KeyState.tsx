import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { StatusDot } from '@/shared/ui/chips'
import { keyState } from '../expiry'

const TONES = { active: 'good', revoked: 'bad', expired: 'warn' } as const

/** Whether a key or token still works. */
export function KeyState({ of }: { of: { revokedAt?: string; expiresAt?: string } }) {
  const { t } = useTranslation('keys')
  const [now] = useState(Date.now)
  const state = keyState(of, now)
  return <StatusDot tone={TONES[state]}>{t(`state.${state}`)}</StatusDot>
}
