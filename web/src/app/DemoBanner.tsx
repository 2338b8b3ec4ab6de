import { Waves } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { usePrefs } from '@/shared/lib/prefs'
import { useMe } from '@/shared/lib/session'
import { ProgressBar } from '@/shared/ui/JobProgress'

/** Shows how far the demo pond has filled, while it fills. */
export function DemoBanner() {
  const { t } = useTranslation('app')
  const { lang } = usePrefs()
  const { demo } = useMe()
  if (demo?.state !== 'filling') return null
  return (
    <div className="kp-banner" role="status">
      <Waves size={16} aria-hidden />
      <span>{t('demo.filling')}</span>
      <ProgressBar label={t('demo.filling')} done={demo.done} total={demo.total} lang={lang} />
    </div>
  )
}
