import { FileUp } from 'lucide-react'
import { useEffect, useId, useRef, useState, type DragEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { formatBytes } from '../lib/format'
import { usePrefs } from '../lib/prefs'
import { Bar } from './JobProgress'
import { Alert, Button } from './kit'
import { useErrorText } from './states'

interface Props<T> {
  /** What to drop here. */
  title: string
  /** Kinds and sizes that are taken. */
  hint?: string
  /** File endings for the picker: ".csv,.xlsx". */
  accept: string
  /** Sends the file and reports how much of it has gone. */
  upload: (file: File, onProgress: (share: number) => void, signal: AbortSignal) => Promise<T>
  onDone: (answer: T, file: File) => void
}

interface Sending {
  file: File
  share: number
}

/** A place to drop a file or pick one, which shows how the upload goes and can stop it. */
export function UploadDrop<T>({ title, hint, accept, upload, onDone }: Props<T>) {
  const { t } = useTranslation()
  const { lang } = usePrefs()
  const say = useErrorText()
  const input = useRef<HTMLInputElement>(null)
  const abort = useRef<AbortController>(null)
  const hintId = useId()
  const [over, setOver] = useState(false)
  const [sending, setSending] = useState<Sending>()
  const [failure, setFailure] = useState<unknown>()
  useEffect(() => () => abort.current?.abort(), [])

  const send = async (file: File) => {
    const stop = new AbortController()
    abort.current = stop
    setFailure(undefined)
    setSending({ file, share: 0 })
    try {
      onDone(await upload(file, (share) => setSending({ file, share }), stop.signal), file)
    } catch (error) {
      if (!stop.signal.aborted) setFailure(error)
    } finally {
      setSending(undefined)
    }
  }
  const drop = (e: DragEvent) => {
    e.preventDefault()
    setOver(false)
    const file = e.dataTransfer.files[0]
    if (file && !sending) void send(file)
  }
  if (sending) {
    return (
      <div className="kp-drop busy">
        <b className="kp-clip">{sending.file.name}</b>
        <span className="kp-muted">{formatBytes(sending.file.size, lang)}</span>
        <Bar label={t('upload.sending')} share={sending.share} />
        <span className="kp-num">{Math.floor(sending.share * 100)}%</span>
        <Button onClick={() => abort.current?.abort()}>{t('action.cancel')}</Button>
      </div>
    )
  }
  return (
    <>
      {failure !== undefined && <Alert className="kp-form-alert" type="error" showIcon role="alert" title={say(failure).detail} />}
      <button
        type="button"
        className={over ? 'kp-drop over' : 'kp-drop'}
        aria-describedby={hint ? hintId : undefined}
        onClick={() => input.current?.click()}
        onDragOver={(e) => {
          e.preventDefault()
          setOver(true)
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <span className="kp-state-icon">
          <FileUp size={26} strokeWidth={1.5} aria-hidden />
        </span>
        <b>{title}</b>
        {hint && (
          <span id={hintId} className="kp-muted">
            {hint}
          </span>
        )}
      </button>
      <input
        ref={input}
        type="file"
        accept={accept}
        hidden
        aria-label={title}
        onChange={(e) => {
          const file = e.target.files?.[0]
          e.target.value = ''
          if (file) void send(file)
        }}
      />
    </>
  )
}
