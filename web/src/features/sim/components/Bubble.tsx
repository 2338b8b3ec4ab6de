import { FileText, Link2, PlayCircle, SquareStack } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import type { SimLine } from '@/shared/api/types'
import { linked } from '../diary'
import { Avatar } from './Avatar'
import css from './sim.module.css'

const NOTES = ['friends', 'pending', 'customer_left', 'staff_left', 'joined', 'group_left', 'transfer', 'followed', 'unfollowed', 'scanned', 'located', 'code_opened', 'service_fault', 'logged_in', 'phone_given', 'allow', 'deny'] as const
type NoteCode = (typeof NOTES)[number]

interface Props {
  line: SimLine
  /** Whose picture stands beside it. */
  face: string
  onOpen: (url: string) => void
  onChoose: (item: NonNullable<SimLine['menu']>[number]) => void
}

/** One message on the phone: a bubble, a card, or a line of the phone's own. */
export function Bubble({ line, face, onOpen, onChoose }: Props) {
  const { t } = useTranslation('sim')
  if (line.kind === 'note') {
    const code = NOTES.find((n): n is NoteCode => n === line.text)
    return <li className={css.note}>{code ? t(`note.${code}`, { name: line.name ?? '' }) : line.text}</li>
  }
  return (
    <li className={css.line} data-from={line.from}>
      <Avatar id={face} size={34} />
      <div className={css.said}>
        {line.via && line.via !== 'kf' && <span className={css.via}>{t(`via.${line.via === 'welcome' ? 'welcome' : line.via === 'mass' ? 'mass' : line.via === 'reply' ? 'reply' : 'transfer'}`)}</span>}
        <Content line={line} onOpen={onOpen} onChoose={onChoose} />
      </div>
    </li>
  )
}

function Content({ line, onOpen, onChoose }: Omit<Props, 'face'>) {
  const { t } = useTranslation('sim')
  switch (line.kind) {
    case 'image':
      return (
        <span className={css.photo}>
          <img src={line.media ? `/api/sim/media/${encodeURIComponent(line.media)}` : line.pic} alt={t('line.image')} loading="lazy" />
        </span>
      )
    case 'link':
      return (
        <button type="button" className={css.card} onClick={() => line.url && onOpen(line.url)}>
          <b>{line.title}</b>
          <span className={css.cardBody}>
            <span>{line.text || line.url}</span>
            <Thumb line={line} />
          </span>
        </button>
      )
    case 'template':
      return (
        <button type="button" className={css.card} onClick={() => line.url && onOpen(line.url)} disabled={!line.url}>
          <b>{line.title}</b>
          <span className={css.values}>
            {(line.text ?? '').split('\n').map((row, i) => (
              <span key={i}>{row}</span>
            ))}
          </span>
          {(line.url || line.page) && <small>{t('line.details')}</small>}
        </button>
      )
    case 'miniprogram':
      return (
        <div className={css.card}>
          <small>
            <SquareStack size={12} aria-hidden /> {line.app}
          </small>
          <b>{line.title}</b>
          {line.media && <img className={css.cover} src={`/api/sim/media/${encodeURIComponent(line.media)}`} alt="" loading="lazy" />}
          <small>
            {t('line.miniprogram')} · {line.page}
          </small>
        </div>
      )
    case 'video':
      return (
        <div className={css.file}>
          <PlayCircle size={20} aria-hidden /> {t('line.video')}
        </div>
      )
    case 'file':
      return (
        <a className={css.file} href={`/api/sim/media/${encodeURIComponent(line.media ?? '')}`} target="_blank" rel="noreferrer">
          <FileText size={20} aria-hidden /> {t('line.file')}
        </a>
      )
    case 'menu':
      return (
        <div className={css.bubble}>
          {line.text && <p>{line.text}</p>}
          {line.menu?.map((m, i) =>
            m.url || m.id ? (
              <button key={i} type="button" className={css.choice} onClick={() => (m.url ? onOpen(m.url) : onChoose(m))}>
                {m.text}
              </button>
            ) : (
              <p key={i}>
                {m.app && <SquareStack size={12} aria-hidden />} {m.text}
              </p>
            ),
          )}
          {line.tail && <p>{line.tail}</p>}
        </div>
      )
    default:
      return (
        <div className={css.bubble}>
          {linked(line.text ?? '').map(({ url, ...part }, i) =>
            url ? (
              <button key={i} type="button" className={css.url} onClick={() => onOpen(url)}>
                {part.text}
              </button>
            ) : (
              <span key={i}>{part.text}</span>
            ),
          )}
        </div>
      )
  }
}

function Thumb({ line }: { line: SimLine }) {
  const src = line.media ? `/api/sim/media/${encodeURIComponent(line.media)}` : line.pic
  return src ? <img src={src} alt="" width={42} height={42} loading="lazy" /> : <Link2 size={30} strokeWidth={1.3} aria-hidden />
}
