import { useTranslation } from 'react-i18next'
import type { ContactRow } from '@/shared/api/types'
import { Chip } from '@/shared/ui/chips'
import { Tooltip } from '@/shared/ui/kit'

type Stage = NonNullable<ContactRow['stage']>

const TONES = { new: 'info', active: 'info', paying: 'good', loyal: 'good', dormant: 'warn', lost: 'neutral' } as const

/** Where a contact stands in its lifecycle, and what that means. */
export function StageChip({ stage }: { stage: Stage }) {
  const { t } = useTranslation('contacts')
  return (
    <Tooltip title={t(`stageHint.${stage}`)}>
      <span>
        <Chip tone={TONES[stage]}>{t(`stage.${stage}`)}</Chip>
      </span>
    </Tooltip>
  )
}
