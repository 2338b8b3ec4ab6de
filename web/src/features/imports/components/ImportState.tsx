import { useTranslation } from 'react-i18next'
import type { Import } from '@/shared/api/types'
import { usePrefs } from '@/shared/lib/prefs'
import { StatusDot, type Tone } from '@/shared/ui/chips'
import { ProgressBar } from '@/shared/ui/JobProgress'

const TONES: Record<Import['state'], Tone> = { queued: 'neutral', running: 'info', succeeded: 'good', failed: 'bad', cancelled: 'warn', undoing: 'info', undone: 'neutral' }

/** Where an import stands: a bar by bytes while it reads, its state after. */
export function ImportState({ of: i }: { of: Import }) {
  const { t } = useTranslation('imports')
  const { lang } = usePrefs()
  if (i.state === 'running' && i.bytesTotal > 0) return <ProgressBar label={i.name} done={i.bytesDone} total={i.bytesTotal} lang={lang} />
  return (
    <StatusDot tone={TONES[i.state]} pulse={i.state === 'running' || i.state === 'undoing'}>
      {t(`state.${i.state}`)}
    </StatusDot>
  )
}
