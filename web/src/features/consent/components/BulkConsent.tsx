import { useQuery } from '@tanstack/react-query'
import { ShieldCheck } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { idempotencyKey } from '@/shared/api/client'
import type { ConsentBatch, ConsentPurpose } from '@/shared/api/types'
import type { ContactSelection } from '@/shared/lib/selection'
import { Dialog } from '@/shared/ui/Drawer'
import { Alert, Button, Input, Segmented, Select } from '@/shared/ui/kit'
import { ErrorState, Loading, useErrorText } from '@/shared/ui/states'
import { UploadDrop } from '@/shared/ui/UploadDrop'
import { ready, type BulkForm } from '../bulk'
import { bulkPreviewQuery, CHANNELS, purposesQuery, sendProof, startBulk, type ProofFile, type Said } from '../queries'
import { useText } from '../words'
import css from './BulkConsent.module.css'
import { BulkRunning } from './BulkRunning'

/** Writes down what the chosen contacts agreed to or withdrew, however many they are. */
export function BulkConsent({ selection }: { selection: ContactSelection }) {
  const { t } = useTranslation('consent')
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button size="small" icon={<ShieldCheck size={14} aria-hidden />} onClick={() => setOpen(true)}>
        {t('bulk.action')}
      </Button>
      {open && <BulkDialog selection={selection} onClose={() => setOpen(false)} />}
    </>
  )
}

function BulkDialog({ selection, onClose }: { selection: ContactSelection; onClose: () => void }) {
  const { t } = useTranslation('consent')
  // Those who were chosen when the dialog opened; the list behind it may refresh.
  const [who] = useState(selection)
  const [batch, setBatch] = useState<ConsentBatch>()
  const purposes = useQuery(purposesQuery())
  const close = () => {
    onClose()
    if (batch) selection.done()
  }
  return (
    <Dialog open onClose={close} title={t('bulk.title', { count: who.count })} width={560}>
      {batch ? (
        <BulkRunning batch={batch} onClose={close} />
      ) : purposes.error ? (
        <ErrorState error={purposes.error} onRetry={() => void purposes.refetch()} />
      ) : purposes.data ? (
        <Choosing who={who} purposes={purposes.data.items.filter((p) => !p.archived)} onClose={close} onStart={setBatch} />
      ) : (
        <Loading height={240} />
      )}
    </Dialog>
  )
}

interface ChoosingProps {
  who: ContactSelection
  purposes: readonly ConsentPurpose[]
  onClose: () => void
  onStart: (batch: ConsentBatch) => void
}

/** What is written down, with which proof, and how many it would change. */
function Choosing({ who, purposes, onClose, onStart }: ChoosingProps) {
  const { t } = useTranslation(['consent', 'common'])
  const say = useErrorText()
  const words = useText()
  const [form, setForm] = useState<BulkForm>({ state: 'withdrawn', purpose: purposes.find((p) => p.id === 'marketing')?.id ?? purposes[0]?.id ?? '', channel: 'all', wording: 0, reason: '' })
  const [file, setFile] = useState<ProofFile>()
  const [key] = useState(idempotencyKey)
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<unknown>()
  const set = (change: Partial<BulkForm>) => setForm((f) => ({ ...f, ...change }))
  const purpose = purposes.find((p) => p.id === form.purpose)
  const wording = purpose?.wordings.find((w) => w.version === form.wording)
  const question = { ...who.body, purpose: form.purpose, channel: form.channel, state: form.state }
  const preview = useQuery(bulkPreviewQuery(question, form.purpose !== ''))
  const p = preview.data
  const start = async () => {
    setBusy(true)
    setFailure(undefined)
    try {
      const granting = form.state === 'granted'
      onStart(await startBulk({ ...question, reason: form.reason, wording: granting ? form.wording : undefined, proofFile: file?.id }, key))
    } catch (error) {
      setFailure(error)
      setBusy(false)
    }
  }
  const wrong = failure ?? preview.error
  return (
    <form
      className={css.form}
      onSubmit={(e) => {
        e.preventDefault()
        void start()
      }}
    >
      <Segmented<Said>
        block
        aria-label={t('change.state')}
        value={form.state}
        onChange={(state) => set(state === 'granted' && form.purpose === 'everything' ? { state, purpose: purposes[0]?.id ?? '', wording: 0 } : { state })}
        options={[
          { value: 'withdrawn', label: t('state.withdrawn') },
          { value: 'granted', label: t('state.granted') },
        ]}
      />
      <div className={css.pair}>
        <label>
          <span>{t('change.purpose')}</span>
          <Select
            style={{ width: '100%' }}
            value={form.purpose}
            onChange={(v: string) => set({ purpose: v, channel: 'all', wording: 0 })}
            options={[...purposes.map((x) => ({ value: x.id, label: words(x.name) })), ...(form.state === 'withdrawn' ? [{ value: 'everything', label: t('everything') }] : [])]}
          />
        </label>
        {purpose && purpose.channels.length > 0 && (
          <label>
            <span>{t('totals.channel')}</span>
            <Select
              style={{ width: '100%' }}
              value={form.channel}
              onChange={(channel: BulkForm['channel']) => set({ channel })}
              options={[{ value: 'all' as const, label: t('channel.all') }, ...CHANNELS.filter((c) => purpose.channels.includes(c)).map((c) => ({ value: c, label: t(`channel.${c}`) }))]}
            />
          </label>
        )}
      </div>
      {form.state === 'granted' && purpose && (
        <>
          <Alert type="warning" showIcon title={t('bulk.warning')} description={t('bulk.warningText')} />
          <label>
            <span>{t('bulk.wording')}</span>
            <Select
              style={{ width: '100%' }}
              value={form.wording || undefined}
              placeholder={t('bulk.wordingChoose')}
              onChange={(v: number) => set({ wording: v })}
              options={purpose.wordings.filter((w) => w.version <= purpose.current).map((w) => ({ value: w.version, label: w.version === purpose.current ? t('bulk.shownNow', { version: w.version }) : `v${w.version}` }))}
            />
            {wording && <blockquote className={css.wording}>{words(wording.text)}</blockquote>}
          </label>
        </>
      )}
      <label>
        <span>{form.state === 'granted' ? t('bulk.proof') : t('change.reason')}</span>
        <Input.TextArea
          value={form.reason}
          autoSize={{ minRows: 2, maxRows: 6 }}
          maxLength={500}
          placeholder={form.state === 'granted' ? t('bulk.proofHint') : t('bulk.reasonHint')}
          onChange={(e) => set({ reason: e.target.value })}
        />
      </label>
      {file ? (
        <div className={css.file}>
          <b className="kp-clip kp-grow">{file.name}</b>
          <Button size="small" onClick={() => setFile(undefined)}>
            {t('bulk.fileRemove')}
          </Button>
        </div>
      ) : (
        <UploadDrop<ProofFile> title={t('bulk.file')} hint={t('bulk.fileHint')} accept="" upload={sendProof} onDone={setFile} />
      )}
      <div role="status" aria-live="polite" className={css.preview}>
        {!wrong && !p && t('bulk.counting')}
        {p && (
          <>
            <b>{t('bulk.changing', { count: p.changing })}</b>
            {p.kept > 0 && <span className="kp-muted">{t('bulk.kept', { count: p.kept })}</span>}
            {p.checked - p.changing - p.kept > 0 && <span className="kp-muted">{t('bulk.already', { count: p.checked - p.changing - p.kept })}</span>}
            {!p.complete && <span className="kp-muted">{t('bulk.partly', { count: p.checked, total: p.total })}</span>}
          </>
        )}
      </div>
      {wrong ? <Alert type="error" showIcon role="alert" title={say(wrong).detail} /> : null}
      <div className={css.actions}>
        <Button onClick={onClose}>{t('common:action.cancel')}</Button>
        <Button type="primary" danger={form.state === 'withdrawn'} htmlType="submit" loading={busy} disabled={!ready(form) || !p || (p.complete && p.changing === 0)}>
          {form.state === 'granted' ? t('bulk.runGrant') : t('bulk.runWithdraw')}
        </Button>
      </div>
    </form>
  )
}
