import { Download, ImageDown, Palette } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { LiveCode } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { Button, Dropdown, Input, Popover } from '@/shared/ui/kit'
import { qrURL, type QRStyle } from '../queries'
import css from './livecodes.module.css'
import { FilePick } from './WelcomeEditor'

const Poster = lazy(() => import('@/shared/poster/Poster'))
const SIZES = [300, 600, 1200] as const

/** The code's picture, its ways out, and how it is drawn. */
export function QR({ code }: { code: LiveCode }) {
  const { t } = useTranslation(['livecodes', 'common'])
  const mayWrite = useCan('acquire.write')
  const [style, setStyle] = useState<QRStyle>({})
  const [poster, setPoster] = useState(false)
  if (!code.scannable)
    return (
      <div className={css.qr}>
        <div className={css.wait}>{code.state === 'archived' ? t('qr.archived') : code.fault ? t('qr.fault') : t('qr.making')}</div>
      </div>
    )
  return (
    <div className={css.qr}>
      <img src={qrURL(code.id, 'svg', style)} alt={t('qr.alt', { name: code.name })} />
      <div className="kp-row wrap">
        <Dropdown
          trigger={['click']}
          menu={{
            items: [
              ...SIZES.map((s) => ({ key: String(s), label: <a href={qrURL(code.id, 'png', { ...style, size: s }, true)}>{t('qr.png', { size: s })}</a> })),
              { key: 'svg', label: <a href={qrURL(code.id, 'svg', style, true)}>{t('qr.svg')}</a> },
            ],
          }}
        >
          <Button icon={<Download size={14} aria-hidden />}>{t('qr.download')}</Button>
        </Dropdown>
        <Button icon={<ImageDown size={14} aria-hidden />} onClick={() => setPoster(true)}>
          {t('common:poster.title')}
        </Button>
        <Popover
          trigger="click"
          content={
            <div className="kp-stack" style={{ width: 240 }}>
              <label className={css.field}>
                {t('qr.color')}
                <Input type="color" value={style.color ?? '#000000'} onChange={(e) => setStyle({ ...style, color: e.target.value })} />
              </label>
              {mayWrite && (
                <div className={css.field}>
                  {t('qr.logo')}
                  <FilePick value={style.logo ?? ''} picture optional label={t('qr.logo')} onChange={(logo) => setStyle({ ...style, logo: logo || undefined })} />
                </div>
              )}
            </div>
          }
        >
          <Button icon={<Palette size={14} aria-hidden />} aria-label={t('qr.style')} />
        </Popover>
      </div>
      {poster && (
        <Suspense>
          <Poster codes={[{ id: code.id, name: code.name }]} picture={(id) => qrURL(id, 'png', { ...style, size: 900 })} words={t('qr.words')} onClose={() => setPoster(false)} />
        </Suspense>
      )}
    </div>
  )
}
