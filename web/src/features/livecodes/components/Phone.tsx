import { FileText } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import type { LiveCodeAttachment, LiveCodeWelcome } from '@/shared/api/types'
import { initials } from '@/shared/lib/format'
import { fileURL } from '../queries'
import { fillIn } from '../words'
import css from './livecodes.module.css'

interface Props {
  welcome: LiveCodeWelcome | undefined
  hook?: { text?: string; attachment?: LiveCodeAttachment }
  staff: string
  customer: string
  code: string
}

/** What a newcomer's phone shows: the welcome as it would arrive now. */
export function Phone({ welcome, hook, staff, customer, code }: Props) {
  const { t } = useTranslation('livecodes')
  const text = [welcome?.text ?? '', hook?.text ?? ''].filter((x) => x.trim() !== '').join('\n\n')
  const parts = [...(welcome?.attachments ?? []), ...(hook?.attachment ? [hook.attachment] : [])]
  const words = fillIn(text, { customer, staff, code, date: new Date().toISOString().slice(0, 10) })
  return (
    <figure className={css.phone} aria-label={t('phone.label')}>
      <header>
        <b>{staff}</b>
        <small>{t('phone.via')}</small>
      </header>
      <div className={css.chat}>
        <p className={css.note}>{t('phone.added', { staff })}</p>
        {words && (
          <div className={css.line}>
            <i aria-hidden>{initials(staff)}</i>
            <p>{words}</p>
          </div>
        )}
        {parts.map((a, i) => (
          <div key={i} className={css.line}>
            <i aria-hidden>{initials(staff)}</i>
            <Bubble part={a} />
          </div>
        ))}
        {!words && parts.length === 0 && <p className={css.note}>{t('phone.nothing')}</p>}
      </div>
    </figure>
  )
}

function Bubble({ part }: { part: LiveCodeAttachment }) {
  const { t } = useTranslation('livecodes')
  const picture = part.file && part.kind !== 'file' ? <img src={fileURL(part.file)} alt="" /> : null
  if (part.kind === 'image') return <div className={css.picture}>{picture ?? <span className="kp-muted">{t('part.image')}</span>}</div>
  if (part.kind === 'file')
    return (
      <div className={css.card}>
        <span>
          <b>{t('part.file')}</b>
        </span>
        <FileText size={28} strokeWidth={1.4} aria-hidden />
      </div>
    )
  return (
    <div className={part.kind === 'miniprogram' ? css.app : css.card}>
      <span>
        <b>{part.title || t('part.title')}</b>
        {part.kind === 'link' && <small>{part.note || part.url}</small>}
        {part.kind === 'miniprogram' && <small>{t('part.miniprogram')}</small>}
      </span>
      {picture}
    </div>
  )
}
