import { useTranslation } from 'react-i18next'
import { SecretOnce } from '@/shared/ui/copy'
import { Dialog } from '@/shared/ui/Drawer'
import { Button } from '@/shared/ui/kit'
import { VerifyCode } from './Code'

interface Props {
  /** What is shown this one time; undefined: the dialog is closed. */
  secret: string | undefined
  title: string
  onClose: () => void
}

/** A secret the one time it is shown, and what the receiver does with it. It closes by its button alone. */
export function SecretDialog({ secret, title, onClose }: Props) {
  const { t } = useTranslation('webhooks')
  return (
    <Dialog open={secret !== undefined} onClose={onClose} title={title} closable={false} width={720}>
      <div className="kp-stack">
        <SecretOnce secret={secret ?? ''} label={t('secret.label')} />
        <VerifyCode />
        <div className="kp-row">
          <Button type="primary" onClick={onClose}>
            {t('done')}
          </Button>
        </div>
      </div>
    </Dialog>
  )
}
