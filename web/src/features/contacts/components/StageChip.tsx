import { Hand } from 'lucide-react'
import type { CSSProperties } from 'react'
import { useTranslation } from 'react-i18next'
import type { ContactRow } from '@/shared/api/types'
import { Tooltip } from '@/shared/ui/kit'
import css from './StageChip.module.css'

type Stage = NonNullable<ContactRow['stage']>

/** Where a contact stands (stage or pool), and what that means; a hand says that a colleague put them there. */
export function StageChip({ stage }: { stage: Stage }) {
  const { t } = useTranslation('contacts')
  const hand = stage.pinnedUntil !== undefined
  return (
    <Tooltip title={hand ? [t('stage.byHand'), stage.note].filter(Boolean).join(' · ') : stage.note}>
      <span className={css.chip} style={{ '--stage': stage.color } as CSSProperties}>
        {stage.name}
        {hand && <Hand size={11} aria-label={t('stage.byHand')} />}
      </span>
    </Tooltip>
  )
}
