import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { PreferenceLink as PrefLink } from '@/shared/api/types'
import { CopyText } from '@/shared/ui/copy'
import { Dialog } from '@/shared/ui/Drawer'
import { useConfirm, useToast } from '@/shared/ui/feedback'
import { Button, QRCode } from '@/shared/ui/kit'
import { DateTime } from '@/shared/ui/values'
import { makeLink, revokeLinks } from '../queries'
import css from './ConsentPanel.module.css'

interface Props {
  open: boolean
  onClose: () => void
  contact: string
  links: readonly PrefLink[]
  onDone: () => Promise<unknown>
}

/** The link to the person's own page, to send or to be scanned from the screen. */
export function PreferenceLink({ open, onClose, contact, links, onDone }: Props) {
  const { t } = useTranslation('consent')
  const toast = useToast()
  const confirm = useConfirm()
  const [busy, setBusy] = useState(false)
  const link = links[0]
  const make = async () => {
    setBusy(true)
    try {
      await makeLink(contact, {})
      await onDone()
    } catch (error) {
      toast.failed(error)
    } finally {
      setBusy(false)
    }
  }
  const revoke = async () => {
    const done = await confirm({ title: t('link.revokeTitle'), body: t('link.revokeBody'), ok: t('link.revoke'), danger: true, run: () => revokeLinks(contact) })
    if (!done) return
    toast.done(t('link.revoked'))
    await onDone()
  }
  const url = link && (link.url ?? window.location.origin + link.path)
  return (
    <Dialog open={open} onClose={onClose} title={t('link.title')} width={480}>
      <div className={css.link}>
        <p className="kp-muted">{t('link.desc')}</p>
        {link && url ? (
          <>
            <QRCode value={url} size={200} bgColor="#fff" color="#111" />
            <CopyText text={url} label={t('link.title')} />
            <p className="kp-muted">
              {t('link.made')} <DateTime at={link.createdAt} />
              {link.expiresAt && (
                <>
                  {' · '}
                  {t('link.expires')} <DateTime at={link.expiresAt} />
                </>
              )}
              {link.usedAt && (
                <>
                  {' · '}
                  {t('link.used')} <DateTime at={link.usedAt} />
                </>
              )}
            </p>
            <span className="kp-row">
              <Button href={url} target="_blank" rel="noreferrer">
                {t('link.open')}
              </Button>
              <Button danger onClick={() => void revoke()}>
                {t('link.revoke')}
              </Button>
            </span>
          </>
        ) : (
          <Button type="primary" loading={busy} onClick={() => void make()}>
            {t('link.make')}
          </Button>
        )}
      </div>
    </Dialog>
  )
}
