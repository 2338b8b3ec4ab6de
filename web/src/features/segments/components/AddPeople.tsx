import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { idempotencyKey } from '@/shared/api/client'
import type { MembersBody, MembersChange, Segment, Upload } from '@/shared/api/types'
import { uploadFile } from '@/shared/api/upload'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { Drawer } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Alert, Button, Input, Segmented, Select } from '@/shared/ui/kit'
import { useErrorText } from '@/shared/ui/states'
import { UploadDrop } from '@/shared/ui/UploadDrop'
import { changeMembers, SEGMENTS_KEY } from '../queries'
import css from './segments.module.css'

const KINDS = ['auto', 'phone', 'email', 'member_no', 'user_id', 'contact_id'] as const
type Kind = (typeof KINDS)[number]
const MAX_LINES = 10_000

const sendFile = (file: File, onProgress: (share: number) => void, signal: AbortSignal) => uploadFile<Upload>(`/api/imports/files?name=${encodeURIComponent(file.name)}`, file, { onProgress, signal })

/** Puts people on a static list, or takes them off: pasted lines, or a column of a file. Lines that name nobody are told. */
export function AddPeople({ segment, onClose }: { segment: Segment; onClose: () => void }) {
  const { t } = useTranslation('segments')
  const say = useErrorText()
  const client = useQueryClient()
  const toast = useToast()
  const mayFile = useCan('import.write')
  const [how, setHow] = useState<'paste' | 'file'>('paste')
  const [text, setText] = useState('')
  const [kind, setKind] = useState<Kind>('auto')
  const [file, setFile] = useState<Upload>()
  const [column, setColumn] = useState('')
  const [busy, setBusy] = useState<'add' | 'remove'>()
  const [failure, setFailure] = useState<unknown>()
  const [change, setChange] = useState<MembersChange>()
  const [key, setKey] = useState(idempotencyKey)
  const lines = text.split('\n').map((l) => l.trim()).filter(Boolean)
  const ready = how === 'paste' ? lines.length > 0 && lines.length <= MAX_LINES : file !== undefined
  const run = async (remove: boolean) => {
    setBusy(remove ? 'remove' : 'add')
    setFailure(undefined)
    const people: MembersBody = how === 'paste' ? { lines, kind } : { upload: { uploadId: file?.id ?? '', column }, kind }
    try {
      const done = await changeMembers(segment.id, remove ? { ...people, remove } : people, key)
      setChange(done)
      setKey(idempotencyKey()) // what follows is another change
      if (done.job) {
        toast.done(t('people.started'))
        onClose()
      }
      await client.invalidateQueries({ queryKey: SEGMENTS_KEY })
    } catch (error) {
      setFailure(error)
    }
    setBusy(undefined)
  }
  return (
    <Drawer
      open
      onClose={onClose}
      title={t('people.title', { name: segment.name })}
      footer={
        <div className={css.foot}>
          <Button disabled={!ready} loading={busy === 'remove'} onClick={() => void run(true)}>
            {t('people.remove')}
          </Button>
          <Button type="primary" disabled={!ready} loading={busy === 'add'} onClick={() => void run(false)}>
            {t('people.add')}
          </Button>
        </div>
      }
    >
      <div className="kp-stack">
        {mayFile && (
          <Segmented
            block
            aria-label={t('people.how')}
            value={how}
            onChange={setHow}
            options={[
              { value: 'paste', label: t('people.paste') },
              { value: 'file', label: t('people.file') },
            ]}
          />
        )}
        {how === 'paste' ? (
          <>
            <Input.TextArea aria-label={t('people.lines')} placeholder={t('people.linesHint')} rows={12} value={text} onChange={(e) => setText(e.target.value)} />
            <span className={lines.length > MAX_LINES ? css.bad : 'kp-muted'} role="status">
              {t('people.count', { count: lines.length, limit: MAX_LINES })}
            </span>
          </>
        ) : file ? (
          <Select aria-label={t('people.column')} value={column} onChange={setColumn} options={file.columns.map((c) => ({ value: c.name, label: c.samples[0] ? `${c.name} (${c.samples[0]})` : c.name }))} />
        ) : (
          <UploadDrop<Upload>
            title={t('people.drop')}
            hint={t('people.dropHint')}
            accept=".csv,.xlsx,.txt,.gz"
            upload={sendFile}
            onDone={(f) => {
              setFile(f)
              setColumn(f.columns[0]?.name ?? '')
            }}
          />
        )}
        <label className={css.field}>
          {t('people.kind')}
          <Select aria-label={t('people.kind')} value={kind} onChange={(k: Kind) => setKind(k)} options={KINDS.map((k) => ({ value: k, label: t(`people.kinds.${k}`) }))} />
        </label>
        {failure !== undefined && <Alert type="error" showIcon role="alert" title={say(failure).detail} />}
        {change?.event && <Report change={change} />}
      </div>
    </Drawer>
  )
}

function Report({ change }: { change: MembersChange }) {
  const { t } = useTranslation('segments')
  const { lang } = usePrefs()
  const { event, unknown = [] } = change
  return (
    <div role="status" className={css.report}>
      <Alert type="success" showIcon title={t('people.done', { came: formatInt(event?.came ?? 0, lang), went: formatInt(event?.went ?? 0, lang) })} />
      {unknown.length > 0 && (
        <>
          <p>{t('people.unknown', { count: event?.detail?.unknown ?? unknown.length })}</p>
          <ul>
            {unknown.map((u) => (
              <li key={u.line}>
                <span className="kp-num">{t('people.line', { n: u.line })}</span> {u.message}
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  )
}
