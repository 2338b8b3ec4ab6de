import { FileText, Image, Link2, Plus, Smartphone, Trash2, Upload } from 'lucide-react'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { LiveCodeAttachment, LiveCodeWelcome } from '@/shared/api/types'
import { useToast } from '@/shared/ui/feedback'
import { Button, Dropdown, Input } from '@/shared/ui/kit'
import { addFile, fileURL } from '../queries'
import { bytesOf } from '@/shared/lib/bytes'
import css from './livecodes.module.css'

const KINDS = ['image', 'link', 'miniprogram', 'file'] as const
type Kind = (typeof KINDS)[number]
const ICONS = { image: Image, link: Link2, miniprogram: Smartphone, file: FileText }
const VARIABLES = ['customer', 'staff', 'code', 'date'] as const
const MOST_BYTES = 4000

/** What is wrong with a part of a form, by its path. */
export type FaultOf = (path: string) => string | undefined

interface Props {
  value: LiveCodeWelcome
  onChange: (next: LiveCodeWelcome) => void
  /** Where it stands in the form, for faults. */
  path: string
  faultOf: FaultOf
  label: string
  /** Attachments that still have room. */
  room?: number
}

/** One welcome: its text with names to fill in, and what goes along. */
export function WelcomeEditor({ value, onChange, path, faultOf, label, room = 9 }: Props) {
  const { t } = useTranslation('livecodes')
  const box = useRef<HTMLTextAreaElement>(null)
  const text = value.text ?? ''
  const parts = value.attachments ?? []
  const bytes = bytesOf(text)
  const at = path ? `${path}.` : ''
  const insert = (word: string) => {
    const el = box.current
    const from = el?.selectionStart ?? text.length
    const to = el?.selectionEnd ?? text.length
    onChange({ ...value, text: text.slice(0, from) + word + text.slice(to) })
    requestAnimationFrame(() => {
      el?.focus()
      el?.setSelectionRange(from + word.length, from + word.length)
    })
  }
  return (
    <div className="kp-stack">
      <div>
        <textarea ref={box} className={css.text} aria-label={label} rows={5} value={text} onChange={(e) => onChange({ ...value, text: e.target.value })} placeholder={t('welcome.placeholder')} />
        <div className={css.under}>
          <span className="kp-muted">{t('welcome.insert')}</span>
          {VARIABLES.map((v) => (
            <button key={v} type="button" className={css.variable} onClick={() => insert(`{${v}}`)}>
              {t(`welcome.variable.${v}`)}
            </button>
          ))}
          <span className="kp-grow" />
          <span className={bytes > MOST_BYTES ? css.fault : 'kp-muted kp-num'}>{t('welcome.bytes', { count: bytes, most: MOST_BYTES })}</span>
        </div>
        <Fault text={faultOf(`${at}text`)} />
      </div>
      <Attachments value={parts} onChange={(list) => onChange({ ...value, attachments: list })} path={`${at}attachments`} faultOf={faultOf} room={room} />
    </div>
  )
}

/** A fault below its field. */
export function Fault({ text }: { text: string | undefined }) {
  return text ? (
    <p className={css.fault} role="alert">
      {text}
    </p>
  ) : null
}

interface ListProps {
  value: readonly LiveCodeAttachment[]
  onChange: (next: LiveCodeAttachment[]) => void
  path: string
  faultOf: FaultOf
  room: number
}

/** The things that go along with a text. */
export function Attachments({ value, onChange, path, faultOf, room }: ListProps) {
  const { t } = useTranslation('livecodes')
  return (
    <div className="kp-stack">
      {value.map((a, i) => (
        <AttachmentForm
          key={i}
          value={a}
          path={`${path}[${i}]`}
          faultOf={faultOf}
          onChange={(next) => onChange(value.map((x, k) => (k === i ? next : x)))}
          onRemove={() => onChange(value.filter((_, k) => k !== i))}
        />
      ))}
      <Fault text={faultOf(path)} />
      {value.length < room && (
        <div>
          <Dropdown trigger={['click']} menu={{ items: KINDS.map((k) => ({ key: k, label: t(`part.${k}`) })), onClick: ({ key }) => onChange([...value, { kind: key as Kind }]) }}>
            <Button icon={<Plus size={14} aria-hidden />}>{t('part.add')}</Button>
          </Dropdown>
        </div>
      )}
    </div>
  )
}

interface PartProps {
  value: LiveCodeAttachment
  onChange: (next: LiveCodeAttachment) => void
  onRemove: () => void
  path: string
  faultOf: FaultOf
}

/** One attachment. */
export function AttachmentForm({ value, onChange, onRemove, path, faultOf }: PartProps) {
  const { t } = useTranslation('livecodes')
  const Icon = ICONS[value.kind]
  const field = (key: 'title' | 'note' | 'url' | 'appId' | 'appPath') => (
    <label className={css.field} key={key}>
      {t(`part.${key}`)}
      <Input value={value[key] ?? ''} status={faultOf(`${path}.${key}`) ? 'error' : undefined} onChange={(e) => onChange({ ...value, [key]: e.target.value })} />
      <Fault text={faultOf(`${path}.${key}`)} />
    </label>
  )
  const fields = { image: [], file: [], link: ['title', 'url', 'note'] as const, miniprogram: ['title', 'appId', 'appPath'] as const }[value.kind]
  return (
    <div className={css.part}>
      <div className="kp-row">
        <Icon size={16} aria-hidden />
        <b className="kp-grow">{t(`part.${value.kind}`)}</b>
        <Button type="text" size="small" aria-label={t('part.remove')} icon={<Trash2 size={15} aria-hidden />} onClick={onRemove} />
      </div>
      <FilePick value={value.file ?? ''} picture={value.kind !== 'file'} optional={value.kind === 'link'} onChange={(file) => onChange({ ...value, file })} />
      <Fault text={faultOf(`${path}.file`)} />
      {fields.length > 0 && <div className={css.words}>{fields.map(field)}</div>}
    </div>
  )
}

/** Picks a file and sends it at once; a picture is shown. */
export function FilePick({ value, picture, optional, onChange, label }: { value: string; picture: boolean; optional?: boolean; onChange: (id: string) => void; label?: string }) {
  const { t } = useTranslation('livecodes')
  const toast = useToast()
  const input = useRef<HTMLInputElement>(null)
  const [busy, setBusy] = useState(false)
  const [name, setName] = useState('')
  const send = async (file: File) => {
    setBusy(true)
    try {
      const added = await addFile(file)
      setName(added.name)
      onChange(added.id)
    } catch (error) {
      toast.failed(error)
    } finally {
      setBusy(false)
    }
  }
  const words = label ?? (picture ? t('part.choosePicture') : t('part.chooseFile'))
  return (
    <div className="kp-row wrap">
      {value && picture && <img className={css.thumb} src={fileURL(value)} alt="" />}
      {value && !picture && (
        <a href={fileURL(value)} target="_blank" rel="noreferrer">
          {name || t('part.file')}
        </a>
      )}
      <Button size="small" icon={<Upload size={14} aria-hidden />} loading={busy} onClick={() => input.current?.click()}>
        {value ? t('part.replace') : optional ? t('part.optionalPicture') : words}
      </Button>
      {value && optional && (
        <Button size="small" type="text" onClick={() => onChange('')}>
          {t('part.without')}
        </Button>
      )}
      <input
        ref={input}
        type="file"
        hidden
        aria-label={words}
        accept={picture ? '.png,.jpg,.jpeg' : '.pdf,.docx,.xlsx,.pptx,.doc,.xls,.ppt,.txt,.csv,.zip,.png,.jpg,.jpeg'}
        onChange={(e) => {
          const file = e.target.files?.[0]
          e.target.value = ''
          if (file) void send(file)
        }}
      />
    </div>
  )
}
