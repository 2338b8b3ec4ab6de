import { FileText, Image, Link2, ListChecks, Plus, Smartphone, Trash2, Upload } from 'lucide-react'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { ReplyAccount, ReplyContent, ReplyInput } from '@/shared/api/types'
import { bytesOf } from '@/shared/lib/bytes'
import { useToast } from '@/shared/ui/feedback'
import { Button, Dropdown, Input } from '@/shared/ui/kit'
import { pictureURL, sendPicture } from '../queries'
import { newPart, sayable } from '../rule'
import { Fault, type FaultOf } from './Fault'
import { MenuLines } from './MenuLines'
import css from './replies.module.css'

const ICONS = { text: FileText, image: Image, link: Link2, miniprogram: Smartphone, menu: ListChecks }
const VARIABLES = ['word', 'date', 'time', 'account'] as const
const MOST_BYTES = 2048
const MOST_AROUND = 1024

interface Props {
  account: ReplyAccount
  /** Of the rule: it tells what may be said. */
  kind: ReplyInput['kind']
  value: readonly ReplyContent[]
  onChange: (next: ReplyContent[]) => void
  faultOf: FaultOf
}

/** What is said, one thing after the other. */
export function ContentsEditor({ account, kind, value, onChange, faultOf }: Props) {
  const { t } = useTranslation('replies')
  const may = sayable(account.kind, kind)
  return (
    <div className="kp-stack">
      {value.map((c, i) => (
        <One key={i} account={account} parts={may.parts} value={c} path={`contents[${i}]`} faultOf={faultOf} onChange={(next) => onChange(value.map((x, k) => (k === i ? next : x)))} onRemove={value.length > 1 ? () => onChange(value.filter((_, k) => k !== i)) : undefined} />
      ))}
      {value.length < may.most && (
        <div>
          <Dropdown trigger={['click']} menu={{ items: may.parts.map((k) => ({ key: k, label: t(`part.${k}`) })), onClick: ({ key }) => onChange([...value, newPart(may.parts.find((k) => k === key) ?? 'text')]) }}>
            <Button size="small" icon={<Plus size={14} aria-hidden />}>
              {t('part.add')}
            </Button>
          </Dropdown>
        </div>
      )}
    </div>
  )
}

function One({ account, parts, value, onChange, onRemove, path, faultOf }: { account: ReplyAccount; parts: readonly ReplyContent['kind'][]; value: ReplyContent; onChange: (next: ReplyContent) => void; onRemove?: () => void; path: string; faultOf: FaultOf }) {
  const { t } = useTranslation('replies')
  const Icon = ICONS[value.kind]
  const field = (key: 'title' | 'note' | 'url' | 'picture' | 'appId' | 'appPath') => (
    <label className={css.field} key={key}>
      {t(`part.${key}`)}
      <Input value={value[key] ?? ''} status={faultOf(`${path}.${key}`) ? 'error' : undefined} onChange={(e) => onChange({ ...value, [key]: e.target.value })} />
      <Fault text={faultOf(`${path}.${key}`)} />
    </label>
  )
  const talk = account.kind === 'wecom'
  const fields = { text: [], image: [], menu: [], link: talk ? (['title', 'url', 'note'] as const) : (['title', 'url', 'note', 'picture'] as const), miniprogram: ['title', 'appId', 'appPath'] as const }[value.kind]
  const pictured = value.kind === 'image' || value.kind === 'miniprogram' || (value.kind === 'link' && talk)
  return (
    <div className={css.part}>
      <div className="kp-row">
        <Icon size={16} aria-hidden />
        <Dropdown trigger={['click']} menu={{ items: parts.map((k) => ({ key: k, label: t(`part.${k}`) })), onClick: ({ key }) => onChange(newPart(parts.find((k) => k === key) ?? 'text')) }}>
          <Button type="text" size="small">
            {t(`part.${value.kind}`)}
          </Button>
        </Dropdown>
        <span className="kp-grow" />
        {onRemove && <Button type="text" size="small" aria-label={t('part.remove')} icon={<Trash2 size={15} aria-hidden />} onClick={onRemove} />}
      </div>
      {value.kind === 'text' && <Text most={MOST_BYTES} label={t('part.text')} value={value.text ?? ''} onChange={(text) => onChange({ ...value, text })} fault={faultOf(`${path}.text`)} />}
      {value.kind === 'menu' && (
        <>
          <Text most={MOST_AROUND} rows={2} label={t('part.head')} value={value.text ?? ''} onChange={(text) => onChange({ ...value, text })} fault={faultOf(`${path}.text`)} />
          <MenuLines account={account} value={value.lines ?? []} onChange={(lines) => onChange({ ...value, lines })} path={`${path}.lines`} faultOf={faultOf} />
          <label className={css.field}>
            {t('part.tail')}
            <Input value={value.tail ?? ''} status={faultOf(`${path}.tail`) ? 'error' : undefined} onChange={(e) => onChange({ ...value, tail: e.target.value })} />
            <Fault text={faultOf(`${path}.tail`)} />
          </label>
        </>
      )}
      {pictured && <PicturePick value={value.file ?? ''} onChange={(file) => onChange({ ...value, file })} />}
      <Fault text={faultOf(`${path}.file`)} />
      <Fault text={faultOf(`${path}.kind`)} />
      {fields.length > 0 && <div className={css.two}>{fields.map(field)}</div>}
    </div>
  )
}

function Text({ value, onChange, fault, most, label, rows = 4 }: { value: string; onChange: (next: string) => void; fault: string | undefined; most: number; label: string; rows?: number }) {
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
      <textarea ref={box} className={css.text} aria-label={label} rows={rows} value={value} placeholder={rows < 4 ? label : t('form.textHint')} onChange={(e) => onChange(e.target.value)} />
      <div className={css.under}>
        {VARIABLES.map((v) => (
          <button key={v} type="button" className={css.variable} onClick={() => insert(`{${v}}`)}>
            {t(`variable.${v}`)}
          </button>
        ))}
        <span className="kp-grow" />
        <span className={bytes > most ? css.fault : 'kp-muted kp-num'}>{t('form.bytes', { count: bytes, most })}</span>
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
