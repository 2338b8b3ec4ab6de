import { useTranslation } from 'react-i18next'
import type { Segment } from '@/shared/api/types'
import { StatusDot, type Tone } from '@/shared/ui/chips'
import { Bar } from '@/shared/ui/JobProgress'
import { Tooltip } from '@/shared/ui/kit'
import css from './segments.module.css'

const TONES: Record<Segment['status'], Tone> = { working: 'info', ready: 'good', failed: 'bad', archived: 'neutral' }

/** Whether a segment's members are up to date, or how far the work on them has come. */
export function SegmentState({ segment: s }: { segment: Segment }) {
  const { t } = useTranslation('segments')
  if (s.status === 'working') {
    return (
      <span className={css.working}>
        <StatusDot tone="info" pulse>
          {t('state.working')}
        </StatusDot>
        <Bar label={t('state.working')} share={s.progress || undefined} />
      </span>
    )
  }
  const dot = <StatusDot tone={TONES[s.status]}>{s.status === 'ready' ? (s.kind === 'dynamic' ? t('state.live') : t('state.list')) : t(`state.${s.status}`)}</StatusDot>
  return s.fault ? <Tooltip title={s.fault}>{dot}</Tooltip> : dot
}
