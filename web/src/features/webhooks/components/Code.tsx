import { Check, Copy } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { copyToClipboard } from '@/shared/ui/copy'
import { Button, Segmented } from '@/shared/ui/kit'
import { LANGUAGES, SAMPLES, type CodeLanguage } from '../samples'
import css from './webhooks.module.css'

/** A text as a program has it, with a button that copies it. */
export function Code({ text, label }: { text: string; label: string }) {
  const { t } = useTranslation()
  const [copied, setCopied] = useState(false)
  const copy = async () => {
    setCopied(await copyToClipboard(text))
    setTimeout(() => setCopied(false), 1600)
  }
  return (
    <div className={css.code}>
      <pre tabIndex={0} aria-label={label}>
        <code>{text}</code>
      </pre>
      <Button size="small" icon={copied ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />} aria-label={t('copy.what', { what: label })} onClick={() => void copy()}>
        {copied ? t('copy.done') : t('copy.copy')}
      </Button>
    </div>
  )
}

const NAMES: Record<CodeLanguage, string> = { node: 'Node.js', python: 'Python', go: 'Go' }

/** How a receiver verifies the signature, in the language it is written in. */
export function VerifyCode() {
  const { t } = useTranslation('webhooks')
  const [language, setLanguage] = useState<CodeLanguage>('node')
  return (
    <div>
      <div className={css.pick}>
        <span>{t('receiver.verify')}</span>
        <Segmented size="small" aria-label={t('receiver.language')} value={language} onChange={setLanguage} options={LANGUAGES.map((l) => ({ value: l, label: NAMES[l] }))} />
      </div>
      <Code text={SAMPLES[language]} label={t('receiver.verify')} />
    </div>
  )
}
