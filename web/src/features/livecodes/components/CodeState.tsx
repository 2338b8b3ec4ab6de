import { useTranslation } from 'react-i18next'
import type { LiveCodeRow } from '@/shared/api/types'
import { StatusDot } from '@/shared/ui/chips'
import { Tooltip } from '@/shared/ui/kit'

type Shown = Pick<LiveCodeRow, 'state' | 'fault' | 'message' | 'ready' | 'why' | 'expired'>

/** How a code is doing, with what the platform says on hover and focus. */
export function CodeState({ code }: { code: Shown }) {
  const { t } = useTranslation('livecodes')
  if (code.state === 'archived') return <StatusDot tone="neutral">{t('state.archived')}</StatusDot>
  if (code.fault)
    return (
      <Tooltip title={code.message}>
        <span tabIndex={0}>
          <StatusDot tone="bad">{t('state.fault')}</StatusDot>
        </span>
      </Tooltip>
    )
  if (!code.ready) return <StatusDot tone="info" pulse>{t('state.making')}</StatusDot>
  if (code.why === 'nobody') return <StatusDot tone="bad">{t('state.nobody')}</StatusDot>
  if (code.expired) return <StatusDot tone="warn">{t('state.expired')}</StatusDot>
  if (code.why === 'backup') return <StatusDot tone="warn">{t('state.backup')}</StatusDot>
  return <StatusDot tone="good">{t('state.active')}</StatusDot>
}
