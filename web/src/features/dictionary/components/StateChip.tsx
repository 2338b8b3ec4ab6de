import { useTranslation } from 'react-i18next'
import type { DefState } from '@/shared/api/types'
import { Chip, type Tone } from '@/shared/ui/chips'

const TONES: Record<DefState, Tone> = { learned: 'sky', expected: 'good', hidden: 'neutral' }

/** Whether a name was learned from traffic, belongs to the plan, or is hidden. */
export function StateChip({ state }: { state: DefState }) {
  const { t } = useTranslation('dictionary')
  return <Chip tone={TONES[state]}>{t(`state.${state}`)}</Chip>
}
