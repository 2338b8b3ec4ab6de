import { Cable } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { useCan } from '../lib/session'
import { Button } from './kit'

/** The way on from a page that needs an account at a platform: a button for who may connect one, whom to ask for everybody else. */
export function ConnectAccount() {
  const { t } = useTranslation()
  const go = useNavigate()
  const may = useCan('connector.write')
  if (!may) return <small className="kp-muted">{t('account.ask')}</small>
  return (
    <Button type="primary" icon={<Cable size={15} aria-hidden />} onClick={() => void go('/connectors')}>
      {t('account.connect')}
    </Button>
  )
}
