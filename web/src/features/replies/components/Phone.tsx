import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { ReplyContent } from '@/shared/api/types'
import { initials } from '@/shared/lib/format'
import { pictureURL } from '../queries'
import css from './replies.module.css'

/** A customer's phone in the chat with an official account. */
export function Phone({ title, children, foot }: { title: string; children: ReactNode; foot?: ReactNode }) {
  const { t } = useTranslation('replies')
  return (
    <figure className={css.phone} aria-label={t('phone.label')}>
      <header>
        <b>{title}</b>
      </header>
      <div className={css.chat}>{children}</div>
      {foot}
    </figure>
  )
}

/** One thing that the account says. */
export function Bubble({ content, from = 'K' }: { content: ReplyContent; from?: string }) {
  const { t } = useTranslation('replies')
  return (
    <div className={css.line}>
      <i aria-hidden>{initials(from)}</i>
      {content.kind === 'text' && <p>{content.text}</p>}
      {content.kind === 'image' && <div className={css.picture}>{content.file ? <img src={pictureURL(content.file)} alt={t('part.image')} /> : <span className="kp-muted">{t('part.image')}</span>}</div>}
      {(content.kind === 'link' || content.kind === 'miniprogram') && (
        <div className={css.card}>
          <span>
            <b>{content.title || t('part.title')}</b>
            <small>{content.kind === 'link' ? content.note || content.url : t('part.miniprogram')}</small>
          </span>
          {content.file && <img src={pictureURL(content.file)} alt="" />}
        </div>
      )}
      {content.kind === 'menu' && (
        <div className={css.tap}>
          {content.text && <p>{content.text}</p>}
          {(content.lines ?? []).map((l, i) => (
            <span key={i}>{l.text || t('line.text', { n: i + 1 })}</span>
          ))}
          {content.tail && <p>{content.tail}</p>}
        </div>
      )}
    </div>
  )
}
