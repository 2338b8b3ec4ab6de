import { CircleAlert, CircleCheck, CircleHelp, TriangleAlert, type LucideIcon } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import type { Connector } from '@/shared/api/types'
import { Chip, type Tone } from '@/shared/ui/chips'
import styles from './connectors.module.css'

type State = Connector['health']

const LOOK: Record<State, { icon: LucideIcon; tone: Tone }> = {
  ok: { icon: CircleCheck, tone: 'good' },
  unknown: { icon: CircleHelp, tone: 'neutral' },
  warn: { icon: TriangleAlert, tone: 'warn' },
  fail: { icon: CircleAlert, tone: 'bad' },
}

/** How an account is, in a word; one that is paused says that instead. */
export function HealthChip({ of: account }: { of: Connector }) {
  const { t } = useTranslation('connectors')
  if (account.state === 'paused') return <Chip>{t('paused')}</Chip>
  const { icon: Icon, tone } = LOOK[account.health]
  return (
    <Chip tone={tone} icon={<Icon size={13} aria-hidden />}>
      {t(`health.${account.health}`)}
    </Chip>
  )
}

/** The mark of one finding. */
export function FindingMark({ state }: { state: string }) {
  const { t } = useTranslation('connectors')
  const known: State = state in LOOK ? (state as State) : 'unknown'
  const { icon: Icon, tone } = LOOK[known]
  return (
    <span className={`${styles.mark} ${styles[tone] ?? ''}`}>
      <Icon size={18} aria-label={t(`health.${known}`)} />
    </span>
  )
}
