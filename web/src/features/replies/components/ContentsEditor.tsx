import { FileText, Image, Link2, Plus, Smartphone, Trash2, Upload } from 'lucide-react'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { ReplyContent } from '@/shared/api/types'
import { bytesOf } from '@/shared/lib/bytes'
import { useToast } from '@/shared/ui/feedback'
import { Button, Dropdown, Input } from '@/shared/ui/kit'
import { pictureURL, sendPicture } from '../queries'
import css from './replies.module.css'
import { Fault, type FaultOf } from './Fault'

const PARTS = ['text', 'image', 'link', 'miniprogram'] as const
const ICONS = { text: FileText, image: Image, link: Link2, miniprogram: Smartphone }
const VARIABLES = ['word', 'date', 'time', 'account'] as const
const MOST_BYTES = 2048
const MOST = 3

interface Props {
  value: readonly ReplyContent[]
  onChange: (next: ReplyContent[]) => void
  faultOf: FaultOf
}

/** What is said, one thing after the other. */
export function ContentsEditor({ value, onChange, faultOf }: Props) {
  const { t } = useTranslation('replies')
  return (
    <div className="kp-stack">
      {value.map((c, i) => (
        <One key={i} value={c} path={`contents[${i}]`} faultOf={faultOf} onChange={(next) => onChange(value.map((x, k) => (k === i ? next : x)))} onRemove={value.length > 1 ? () => onChange(value.filter((_, k) => k !== i)) : undefined} />
      ))}
      {value.length < MOST && (
        <div>
          <Dropdown trigger={['click']} menu={{ items: PARTS.map((k) => ({ key: k, label: t(`part.${k}`) })), onClick: ({ key }) => onChange([...value, { kind: PARTS.find((k) => k === key) ?? 'text' }]) }}>
            <Button size="small" icon={<Plus size={14} aria-hidden />}>
              {t('part.add')}
            </Button>
          </Dropdown>
        </div>
      )}
    </div>
  )
}

function One({ value, onChange, onRemove, path, faultOf }: { value: ReplyContent; onChange: (next: ReplyContent) => void; onRemove?: () => void; path: string; faultOf: FaultOf }) {
  const { t } = useTranslation('replies')
  const Icon = ICONS[value.kind]
  const field = (key: 'title' | 'note' | 'url' | 'picture' | 'appId' | 'appPath') => (
    <label className={css.field} key={key}>
      {t(`part.${key}`)}
      <Input value={value[key] ?? ''} status={faultOf(`${path}.${key}`) ? 'error' : undefined} onChange={(e) => onChange({ ...value, [key]: e.target.value })} />
      <Fault text={faultOf(`${path}.${key}`)} />
    </label>
  )
  const fields = { text: [], image: [], link: ['title', 'url', 'note', 'picture'] as const, miniprogram: ['title', 'appId', 'appPath'] as const }[value.kind]
  return (
    <div className={css.part}>
      <div className="kp-row">
        <Icon size={16} aria-hidden />
        <Dropdown trigger={['click']} menu={{ items: PARTS.map((k) => ({ key: k, label: t(`part.${k}`) })), onClick: ({ key }) => onChange({ kind: PARTS.find((k) => k === key) ?? 'text' }) }}>
          <Button type="text" size="small">
            {t(`part.${value.kind}`)}
          </Button>
        </Dropdown>
        <span className="kp-grow" />
        {onRemove && <Button type="text" size="small" aria-label={t('part.remove')} icon={<Trash2 size={15} aria-hidden />} onClick={onRemove} />}
      </div>
      {value.kind === 'text' && <Text value={value.text ?? ''} onChange={(text) => onChange({ ...value, text })} fault={faultOf(`${path}.text`)} />}
      {(value.kind === 'image' || value.kind === 'miniprogram') && <PicturePick value={value.file ?? ''} onChange={(file) => onChange({ ...value, file })} />}
      <Fault text={faultOf(`${path}.file`)} />
      {fields.length > 0 && <div className={css.two}>{fields.map(field)}</div>}
    </div>
  )
}

function Text({ value, onChange, fault }: { value: string; onChange: (next: string) => void; fault: string | undefined }) {
  const { t } = useTranslation('replies')
  const box = useRef<HTMLTextAreaElement>(null)
  const bytes = bytesOf(value)
  const insert = (word: string) => {
    const el = box.current
    const from = el?.selectionStart ?? value.length
    onChange(value.slice(0, from) + word + value.slice(el?.selectionEnd ?? from))
    requestAnimationFrame(() => {
      el?.focus()
      el?.setSelectionRange(from + word.length, from + word.length)
    })
  }
  return (
    <div>
      <textarea ref={box} className={css.text} aria-label={t('part.text')} rows={4} value={value} placeholder={t('form.textHint')} onChange={(e) => onChange(e.target.value)} />
      <div className={css.under}>
        {VARIABLES.map((v) => (
          <button key={v} type="button" className={css.variable} onClick={() => insert(`{${v}}`)}>
            {t(`variable.${v}`)}
          </button>
        ))}
        <span className="kp-grow" />
        <span className={bytes > MOST_BYTES ? css.fault : 'kp-muted kp-num'}>{t('form.bytes', { count: bytes, most: MOST_BYTES })}</span>
      </div>
      <Fault text={fault} />
    </div>
  )
}

/** Picks a picture and sends it at once. */
function PicturePick({ value, onChange }: { value: string; onChange: (id: string) => void }) {
  const { t } = useTranslation('replies')
  const toast = useToast()
  const input = useRef<HTMLInputElement>(null)
  const [busy, setBusy] = useState(false)
  const send = async (file: File) => {
    setBusy(true)
    try {
      onChange((await sendPicture(file)).id)
    } catch (error) {
      toast.failed(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <div className="kp-row wrap">
      {value && <img className={css.thumb} src={pictureURL(value)} alt={t('part.image')} />}
      <Button size="small" icon={<Upload size={14} aria-hidden />} loading={busy} onClick={() => input.current?.click()}>
        {value ? t('part.replace') : t('part.choose')}
      </Button>
      <input
        ref={input}
        type="file"
        hidden
        aria-label={t('part.choose')}
        accept=".png,.jpg,.jpeg"
        onChange={(e) => {
          const file = e.target.files?.[0]
          e.target.value = ''
          if (file) void send(file)
        }}
      />
    </div>
  )
}
