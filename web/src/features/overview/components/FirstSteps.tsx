import { Cable, FileUp, Fish, Radio, Waves } from 'lucide-react'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { useCan } from '@/shared/lib/session'
import { CopyText } from '@/shared/ui/copy'
import { Button } from '@/shared/ui/kit'
import css from './FirstSteps.module.css'

/** The command that opens a demo pond beside this one. */
const DEMO_COMMAND = 'koipond demo'

/** The home page of an empty pond: the ways to begin. */
export function FirstSteps() {
  const { t } = useTranslation('overview')
  const go = useNavigate()
  const mayImport = useCan('import.write')
  const mayConnect = useCan('connector.write')
  const mayKeys = useCan('keys.write')
  return (
    <section className={`kp-panel ${css.first}`}>
      <header>
        <span className={css.sign}>
          <Fish size={28} strokeWidth={1.5} aria-hidden />
        </span>
        <h2>{t('first.title')}</h2>
        <p>{t('first.lead')}</p>
      </header>
      <ol>
        <Way icon={<FileUp size={20} strokeWidth={1.6} aria-hidden />} title={t('first.import')} desc={t('first.importDesc')}>
          {mayImport ? (
            <Button type="primary" onClick={() => void go('/imports/new')}>
              {t('first.importGo')}
            </Button>
          ) : (
            <small>{t('first.ask')}</small>
          )}
        </Way>
        <Way icon={<Cable size={20} strokeWidth={1.6} aria-hidden />} title={t('first.connect')} desc={t('first.connectDesc')}>
          {mayConnect ? <Button onClick={() => void go('/connectors')}>{t('first.connectGo')}</Button> : <small>{t('first.ask')}</small>}
        </Way>
        <Way icon={<Radio size={20} strokeWidth={1.6} aria-hidden />} title={t('first.send')} desc={t('first.sendDesc')}>
          {mayKeys ? <Button onClick={() => void go('/keys')}>{t('first.sendGo')}</Button> : <small>{t('first.ask')}</small>}
        </Way>
        <Way icon={<Waves size={20} strokeWidth={1.6} aria-hidden />} title={t('first.demo')} desc={t('first.demoDesc')}>
          <CopyText text={DEMO_COMMAND} />
        </Way>
      </ol>
    </section>
  )
}

function Way({ icon, title, desc, children }: { icon: ReactNode; title: string; desc: string; children: ReactNode }) {
  return (
    <li className={css.way}>
      <span className={css.icon}>{icon}</span>
      <h3>{title}</h3>
      <p>{desc}</p>
      <div>{children}</div>
    </li>
  )
}
