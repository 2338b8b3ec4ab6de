import type { CSSProperties } from 'react'
import type { ContactRow } from '@/shared/api/types'
import { Tooltip } from '@/shared/ui/kit'
import css from './StageChip.module.css'

type Stage = NonNullable<ContactRow['stage']>

/** Where a contact stands (stage or pool), and what that means. */
export function StageChip({ stage }: { stage: Stage }) {
  return (
    <Tooltip title={stage.note}>
      <span className={css.chip} style={{ '--stage': stage.color } as CSSProperties}>
        {stage.name}
      </span>
    </Tooltip>
  )
}
