import { useQuery } from '@tanstack/react-query'
import { ShieldCheck } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { idempotencyKey } from '@/shared/api/client'
import type { ConsentBatch, ConsentPurpose } from '@/shared/api/types'
import type { ContactSelection } from '@/shared/lib/selection'
import { BulkAction, BulkField, BulkForm, useStep } from '@/shared/ui/BulkAction'
import { Alert, Button, Input, Segmented, Select } from '@/shared/ui/kit'
import { QueryState } from '@/shared/ui/states'
import { UploadDrop } from '@/shared/ui/UploadDrop'
import { ready, type BulkForm as Form } from '../bulk'
import { bulkPreviewQuery, CHANNELS, purposesQuery, sendProof, startBulk, type ProofFile, type Said } from '../queries'
import { useText } from '../words'
import css from './BulkConsent.module.css'
import { BulkRunning } from './BulkRunning'

/** Writes down what the chosen contacts agreed to or withdrew. */
export function BulkConsent({ selection }: { selection: ContactSelection }) {
  const { t } = useTranslation('consent')
  return (
    <BulkAction<ConsentBatch>
      selection={selection}
      icon={<ShieldCheck size={14} aria-hidden />}
      label={t('bulk.action')}
      title={(count) => t('bulk.title', { count })}
      width={560}
      choose={(p) => <Purposed {...p} />}
      follow={({ run, onClose }) => <BulkRunning batch={run} onClose={onClose} />}
    />
  )
}

/** Choosing, once the purposes are there. */
function Purposed(props: Omit<ChoosingProps, 'purposes'>) {
  const query = useQuery(purposesQuery())
  return (
    <QueryState query={query} height={240}>
      {(data) => <Choosing {...props} purposes={data.items.filter((p) => !p.archived)} />}
    </QueryState>
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
  const step = useStep()
  const words = useText()
  const [form, setForm] = useState<Form>({ state: 'withdrawn', purpose: purposes.find((p) => p.id === 'marketing')?.id ?? purposes[0]?.id ?? '', channel: 'all', wording: 0, reason: '' })
  const [file, setFile] = useState<ProofFile>()
  const [key] = useState(idempotencyKey)
  const set = (change: Partial<Form>) => setForm((f) => ({ ...f, ...change }))
  const purpose = purposes.find((p) => p.id === form.purpose)
  const wording = purpose?.wordings.find((w) => w.version === form.wording)
  const question = { ...who.body, purpose: form.purpose, channel: form.channel, state: form.state }
  const preview = useQuery(bulkPreviewQuery(question, form.purpose !== ''))
  const p = preview.data
  const start = () =>
    step.take(async () => onStart(await startBulk({ ...question, reason: form.reason, wording: form.state === 'granted' ? form.wording : undefined, proofFile: file?.id }, key)))
  const wrong = step.failure ?? preview.error
  return (
    <BulkForm
      wrong={wrong}
      onSubmit={() => void start()}
      told={
        <>
          {!wrong && !p && t('bulk.counting')}
          {p && (
            <>
              <b>{t('bulk.changing', { count: p.changing })}</b>
              {p.kept > 0 && <span className="kp-muted">{t('bulk.kept', { count: p.kept })}</span>}
              {p.checked - p.changing - p.kept > 0 && <span className="kp-muted">{t('bulk.already', { count: p.checked - p.changing - p.kept })}</span>}
              {!p.complete && <span className="kp-muted">{t('bulk.partly', { count: p.checked, total: p.total })}</span>}
            </>
          )}
        </>
      }
      actions={
        <>
          <Button onClick={onClose}>{t('common:action.cancel')}</Button>
          <Button type="primary" danger={form.state === 'withdrawn'} htmlType="submit" loading={step.busy} disabled={!ready(form) || !p || (p.complete && p.changing === 0)}>
            {form.state === 'granted' ? t('bulk.runGrant') : t('bulk.runWithdraw')}
          </Button>
        </>
      }
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
        <BulkField label={t('change.purpose')}>
          <Select
            style={{ width: '100%' }}
            value={form.purpose}
            onChange={(v: string) => set({ purpose: v, channel: 'all', wording: 0 })}
            options={[...purposes.map((x) => ({ value: x.id, label: words(x.name) })), ...(form.state === 'withdrawn' ? [{ value: 'everything', label: t('everything') }] : [])]}
          />
        </BulkField>
        {purpose && purpose.channels.length > 0 && (
          <BulkField label={t('totals.channel')}>
            <Select
              style={{ width: '100%' }}
              value={form.channel}
              onChange={(channel: Form['channel']) => set({ channel })}
              options={[{ value: 'all' as const, label: t('channel.all') }, ...CHANNELS.filter((c) => purpose.channels.includes(c)).map((c) => ({ value: c, label: t(`channel.${c}`) }))]}
            />
          </BulkField>
        )}
      </div>
      {form.state === 'granted' && purpose && (
        <>
          <Alert type="warning" showIcon title={t('bulk.warning')} description={t('bulk.warningText')} />
          <BulkField label={t('bulk.wording')}>
            <Select
              style={{ width: '100%' }}
              value={form.wording || undefined}
              placeholder={t('bulk.wordingChoose')}
              onChange={(v: number) => set({ wording: v })}
              options={purpose.wordings.filter((w) => w.version <= purpose.current).map((w) => ({ value: w.version, label: w.version === purpose.current ? t('bulk.shownNow', { version: w.version }) : `v${w.version}` }))}
            />
            {wording && <blockquote className={css.wording}>{words(wording.text)}</blockquote>}
          </BulkField>
        </>
      )}
      <BulkField label={form.state === 'granted' ? t('bulk.proof') : t('change.reason')}>
        <Input.TextArea
          value={form.reason}
          autoSize={{ minRows: 2, maxRows: 6 }}
          maxLength={500}
          placeholder={form.state === 'granted' ? t('bulk.proofHint') : t('bulk.reasonHint')}
          onChange={(e) => set({ reason: e.target.value })}
        />
      </BulkField>
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
    </BulkForm>
  )
}
