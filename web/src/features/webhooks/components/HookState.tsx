import { useTranslation } from 'react-i18next'
import type { Webhook } from '@/shared/api/types'
import { StatusDot } from '@/shared/ui/chips'
import { Tooltip } from '@/shared/ui/kit'
import { healthOf, TONES } from '../webhook'

/** How a webhook does; what is wrong with it stands in the tip. */
export function HookState({ webhook }: { webhook: Webhook }) {
  const { t } = useTranslation('webhooks')
  const health = healthOf(webhook)
  const dot = <StatusDot tone={TONES[health]}>{t(`state.${health}`)}</StatusDot>
  if (!webhook.message) return dot
  return (
    <Tooltip title={webhook.message}>
      <span tabIndex={0}>{dot}</span>
    </Tooltip>
  )
}
