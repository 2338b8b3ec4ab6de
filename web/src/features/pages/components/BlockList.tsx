import { ArrowDown, ArrowUp, Plus, Trash2, Upload } from 'lucide-react'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { LandingChoices } from '@/shared/api/types'
import { useToast } from '@/shared/ui/feedback'
import { Button, Input } from '@/shared/ui/kit'
import { moved, newBlock, offered, type BlockKind, type Keyed } from '../blocks'
import { addPicture, pictureAddress } from '../queries'
import { FormBlock } from './FormBlock'
import { Labelled } from './Labelled'
import css from './pages.module.css'
import type { FaultOf } from './useFaults'

interface Props {
  blocks: Keyed[]
  onChange: (next: Keyed[]) => void
  choices: LandingChoices
  faultOf: FaultOf
}

/** The blocks of a page, from top to bottom. */
export function BlockList({ blocks, onChange, choices, faultOf }: Props) {
  const { t } = useTranslation('pages')
  return (
    <div className="kp-stack">
      {blocks.map((b, i) => {
        const kind = b.kind as BlockKind
        const change = (patch: Partial<Keyed>) => onChange(blocks.map((x) => (x.key === b.key ? { ...x, ...patch } : x)))
        return (
          <section key={b.key} className={css.block} aria-label={t('block.label', { n: i + 1, kind: t(`block.${kind}`) })}>
            <header>
              <b className="kp-grow">{t(`block.${kind}`)}</b>
              <Button type="text" size="small" disabled={i === 0} icon={<ArrowUp size={14} aria-hidden />} aria-label={t('block.up', { n: i + 1 })} onClick={() => onChange(moved(blocks, i, -1))} />
              <Button type="text" size="small" disabled={i === blocks.length - 1} icon={<ArrowDown size={14} aria-hidden />} aria-label={t('block.down', { n: i + 1 })} onClick={() => onChange(moved(blocks, i, 1))} />
              <Button type="text" size="small" icon={<Trash2 size={14} aria-hidden />} aria-label={t('block.remove', { n: i + 1 })} onClick={() => onChange(blocks.filter((x) => x.key !== b.key))} />
            </header>
            {kind === 'form' ? <FormBlock block={b} onChange={change} choices={choices} path={`design.blocks[${i}]`} faultOf={faultOf} /> : <Plain block={b} onChange={change} path={`design.blocks[${i}]`} faultOf={faultOf} />}
          </section>
        )
      })}
      <div className="kp-row">
        <span className="kp-muted">{t('block.add')}</span>
        {offered(blocks).map((k) => (
          <Button key={k} size="small" icon={<Plus size={14} aria-hidden />} onClick={() => onChange([...blocks, newBlock(k)])}>
            {t(`block.${k}`)}
          </Button>
        ))}
      </div>
    </div>
  )
}

function Plain({ block, onChange, path, faultOf }: { block: Keyed; onChange: (patch: Partial<Keyed>) => void; path: string; faultOf: FaultOf }) {
  const { t } = useTranslation('pages')
  const label = block.kind === 'picture' ? t('block.alt') : t(`block.${block.kind as BlockKind}`)
  return (
    <>
      {block.kind === 'picture' && <Picture file={block.file ?? ''} onChange={(file) => onChange({ file })} fault={faultOf(`${path}.file`)} />}
      <Labelled label={block.kind === 'picture' ? label : ''} fault={faultOf(`${path}.text`)}>
        {block.kind === 'text' ? (
          <textarea className={css.text} rows={4} maxLength={4000} aria-label={label} value={block.text ?? ''} placeholder={t('block.textHint')} onChange={(e) => onChange({ text: e.target.value })} />
        ) : (
          <Input value={block.text ?? ''} maxLength={200} aria-label={label} placeholder={block.kind === 'headline' ? t('block.headlineHint') : t('block.altHint')} onChange={(e) => onChange({ text: e.target.value })} />
        )}
      </Labelled>
    </>
  )
}

function Picture({ file, onChange, fault }: { file: string; onChange: (id: string) => void; fault: string | undefined }) {
  const { t } = useTranslation('pages')
  const toast = useToast()
  const input = useRef<HTMLInputElement>(null)
  const [share, setShare] = useState<number>()
  const send = async (picked: File | undefined) => {
    if (!picked) return
    setShare(0)
    try {
      onChange((await addPicture(picked, setShare, new AbortController().signal)).id)
    } catch (error) {
      toast.failed(error)
    } finally {
      setShare(undefined)
    }
  }
  return (
    <Labelled label="" hint={t('block.pictureHint')} fault={fault}>
      <div className="kp-row">
        {file && <img className={css.thumb} src={pictureAddress(file)} alt="" />}
        <input ref={input} type="file" hidden accept="image/png,image/jpeg,image/gif,image/webp" aria-label={t('block.upload')} onChange={(e) => void send(e.target.files?.[0])} />
        <Button icon={<Upload size={14} aria-hidden />} loading={share !== undefined} onClick={() => input.current?.click()}>
          {file ? t('block.replace') : t('block.upload')}
        </Button>
      </div>
    </Labelled>
  )
}
