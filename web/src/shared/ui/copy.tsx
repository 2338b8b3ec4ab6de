import { Check, Copy, KeyRound } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Alert, Button, Tooltip } from './kit'

/** Copies text, also where the clipboard API is missing: on plain http, which self-hosted consoles may use. */
export async function copyToClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copyBySelection(text)
  }
}

function copyBySelection(text: string): boolean {
  const area = document.createElement('textarea')
  area.value = text
  area.setAttribute('readonly', '')
  area.style.position = 'fixed'
  area.style.opacity = '0'
  document.body.append(area)
  area.select()
  try {
    return document.execCommand('copy')
  } catch {
    return false
  } finally {
    area.remove()
  }
}

function useCopied(): [boolean, (text: string) => Promise<void>] {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), 1600)
    return () => clearTimeout(timer)
  }, [copied])
  return [copied, async (text) => setCopied(await copyToClipboard(text))]
}

/** A text with a button that copies it. */
export function CopyText({ text, mono = true, label }: { text: string; mono?: boolean; label?: string }) {
  const { t } = useTranslation()
  const [copied, copy] = useCopied()
  return (
    <span className="kp-copy">
      {mono ? <code title={text}>{text}</code> : <span title={text}>{text}</span>}
      <Tooltip title={copied ? t('copy.done') : t('copy.copy')}>
        <Button
          type="text"
          size="small"
          aria-label={label ? t('copy.what', { what: label }) : t('copy.copy')}
          icon={copied ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
          onClick={() => void copy(text)}
        />
      </Tooltip>
      <span className="kp-sr" role="status">
        {copied ? t('copy.done') : ''}
      </span>
    </span>
  )
}

/** A secret that the server shows this one time, with the warning that goes with it. */
export function SecretOnce({ secret, label }: { secret: string; label: string }) {
  const { t } = useTranslation()
  const [copied, copy] = useCopied()
  return (
    <div className="kp-secret">
      <Alert type="warning" showIcon title={t('secret.once')} />
      <div className="kp-secret-box">
        <KeyRound size={16} aria-hidden className="kp-muted" />
        <code aria-label={label}>{secret}</code>
        <Button type="primary" icon={copied ? <Check size={15} aria-hidden /> : <Copy size={15} aria-hidden />} onClick={() => void copy(secret)}>
          {copied ? t('copy.done') : t('copy.copy')}
        </Button>
      </div>
      <span className="kp-sr" role="status">
        {copied ? t('copy.done') : ''}
      </span>
    </div>
  )
}
