import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useDeferredValue, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import type { MergePreview } from '@/shared/api/types'
import { codeText } from '@/shared/i18n/code'
import { Dialog } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Field, Form } from '@/shared/ui/Form'
import { Alert, Button, Checkbox, Input, Segmented } from '@/shared/ui/kit'
import { QueryState } from '@/shared/ui/states'
import { mergeContacts, mergePreviewQuery, searchQuery } from '../queries'
import css from './MergePanel.module.css'
import { Side } from './Side'

interface Found {
  id: string
  name: string
}

/** Finds somebody, unless it is known who, shows both side by side, and makes them one. */
export function MergeDialog({ contact, with: given, onClose }: { contact: Found; with?: Found; onClose: () => void }) {
  const { t } = useTranslation('identity')
  const [other, setOther] = useState(given)
  return (
    <Dialog open onClose={onClose} title={t('merge.title')} width={680}>
      {other ? <Compare contact={contact} other={other} onBack={() => setOther(undefined)} onClose={onClose} /> : <Search not={contact.id} onPick={setOther} />}
    </Dialog>
  )
}

function Search({ not, onPick }: { not: string; onPick: (found: Found) => void }) {
  const { t } = useTranslation('identity')
  const [text, setText] = useState('')
  const q = useDeferredValue(text.trim())
  const found = useQuery(searchQuery(q))
  const others = found.data?.filter((c) => c.id !== not)
  return (
    <>
      <Input type="search" autoFocus value={text} onChange={(e) => setText(e.target.value)} placeholder={t('merge.search')} aria-label={t('merge.search')} />
      <div className={css.found} role="group" aria-label={t('merge.found')}>
        {q && others?.length === 0 && <p className="kp-muted">{t('merge.nobody')}</p>}
        {q &&
          others?.map((c) => (
            <Button key={c.id} type="text" onClick={() => onPick({ id: c.id, name: c.name })} data-pick={c.id}>
              {[c.name, c.phone, c.email, c.city].filter(Boolean).join(' · ')}
            </Button>
          ))}
      </div>
    </>
  )
}

type Keep = 'this' | 'other'

function Compare({ contact, other, onBack, onClose }: { contact: Found; other: Found; onBack: () => void; onClose: () => void }) {
  const { t } = useTranslation(['identity', 'common'])
  const [keep, setKeep] = useState<Keep>('this')
  const [keepId, otherId] = keep === 'this' ? [contact.id, other.id] : [other.id, contact.id]
  const preview = useQuery(mergePreviewQuery(keepId, otherId))
  return (
    <>
      <Segmented<Keep>
        block
        value={keep}
        onChange={setKeep}
        options={[
          { value: 'this', label: t('merge.keep', { who: contact.name || t('story.noName') }) },
          { value: 'other', label: t('merge.keep', { who: other.name || t('story.noName') }) },
        ]}
      />
      <QueryState query={preview} height={240}>
        {(p) => <Confirm key={keepId} preview={p} onBack={onBack} onClose={onClose} />}
      </QueryState>
    </>
  )
}

function Confirm({ preview: p, onBack, onClose }: { preview: MergePreview; onBack: () => void; onClose: () => void }) {
  const { t } = useTranslation('identity')
  const client = useQueryClient()
  const toast = useToast()
  const go = useNavigate()
  const merge = async ({ reason }: { reason?: string }) => {
    const whole = await mergeContacts(p.keep.id, { other: p.other.id, reason: reason?.trim() || undefined, confirm: p.keptApart !== undefined })
    // but for the preview: what it shows is done
    await client.invalidateQueries({ queryKey: ['contacts'], predicate: (q) => q.queryKey[1] !== 'merge-preview' })
    void client.invalidateQueries({ queryKey: ['orders'] })
    toast.done(t('merge.done'))
    onClose()
    void go(`/contacts/${whole.id}`)
  }
  return (
    <Form<{ reason?: string; sure?: boolean }> submit={t('merge.submit')} onSubmit={merge} extra={<Button onClick={onBack}>{t('merge.back')}</Button>}>
      <div className={css.sides}>
        <Side title={t('merge.stays')} contact={p.keep} />
        <Side title={t('merge.goes')} contact={p.other} notes={p.notes} />
        <Side title={t('merge.after')} contact={p.after} />
      </div>
      <Differences preview={p} />
      {p.warnings.map((w) => (
        <Alert key={w.code + (w.kind ?? '')} type="warning" title={t(`warning.${w.code}`, { what: w.kind ? codeText('contacts', 'identity', w.kind) : '' })} />
      ))}
      {p.keptApart !== undefined && (
        <>
          <Alert type="error" title={t('merge.apart', { why: p.keptApart || '—' })} />
          <Field name="sure" valuePropName="checked" rules={[{ validator: (_, sure?: boolean) => (sure ? Promise.resolve() : Promise.reject(new Error(t('merge.sureNeeded')))) }]}>
            <Checkbox>{t('merge.sure')}</Checkbox>
          </Field>
        </>
      )}
      <Field name="reason" label={t('merge.reason')}>
        <Input maxLength={500} autoComplete="off" />
      </Field>
    </Form>
  )
}

function Differences({ preview: p }: { preview: MergePreview }) {
  const { t } = useTranslation('identity')
  if (p.differences.length === 0) return null
  const label = (key: string) => (['name', 'gender', 'birthday', 'city', 'owner'].includes(key) ? codeText('identity', 'attribute', key) : key)
  const text = (v: unknown) => (typeof v === 'object' ? JSON.stringify(v) : String(v))
  return (
    <table className={css.differs}>
      <thead>
        <tr>
          <th>{t('merge.differs')}</th>
          <th>{t('merge.stays')}</th>
          <th>{t('merge.goes')}</th>
        </tr>
      </thead>
      <tbody>
        {p.differences.map((d) => (
          <tr key={d.key}>
            <td>{label(d.key)}</td>
            <td className={d.wins === 'keep' ? undefined : css.lost}>{text(d.keep)}</td>
            <td className={d.wins === 'other' ? undefined : css.lost}>{text(d.other)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
