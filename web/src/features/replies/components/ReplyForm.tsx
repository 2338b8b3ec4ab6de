import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Plus, Trash2 } from 'lucide-react'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { idempotencyKey } from '@/shared/api/client'
import { ApiError } from '@/shared/api/errors'
import type { Reply, ReplyAccount, ReplyInput, ReplyWord } from '@/shared/api/types'
import { useTimezone } from '@/shared/lib/session'
import { addDays, dayOf, dayStart } from '@/shared/lib/time'
import { tagsQuery } from '@/shared/rules/queries'
import { Drawer } from '@/shared/ui/Drawer'
import { useConfirm, useToast } from '@/shared/ui/feedback'
import { Alert, Button, Input, Segmented, Select, Switch } from '@/shared/ui/kit'
import { useErrorText } from '@/shared/ui/states'
import { createReply, deleteReply, KINDS, REPLIES_KEY, updateReply } from '../queries'
import { complete, firstOf, inputOf } from '../rule'
import { ContentsEditor } from './ContentsEditor'
import { Fault, type FaultOf } from './Fault'
import { Bubble, Phone } from './Phone'
import css from './replies.module.css'

interface Props {
  account: ReplyAccount
  reply?: Reply
  onClose: () => void
}

/** Makes a rule or changes one, with the customer's phone beside it. */
export function ReplyForm({ account, reply, onClose }: Props) {
  const { t } = useTranslation(['replies', 'common'])
  const client = useQueryClient()
  const toast = useToast()
  const confirm = useConfirm()
  const say = useErrorText()
  const [d, setD] = useState<ReplyInput>(reply ? inputOf(reply) : firstOf(account.id, 'keyword'))
  const [failure, setFailure] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const [key, setKey] = useState(idempotencyKey)
  const put = (patch: Partial<ReplyInput>) => setD((old) => ({ ...old, ...patch }))
  const fields = failure instanceof ApiError ? failure.fields : []
  const faultOf: FaultOf = (path) => fields.find((f) => f.path.replace(/^body\.?/, '').replace(/\.(\d+)(?=\.|$)/g, '[$1]') === path)?.detail
  const words = (d.words ?? []).filter((w) => w.text.trim() !== '')
  const ready = d.name.trim() !== '' && (d.contents ?? []).length > 0 && (d.contents ?? []).every(complete) && (d.kind !== 'keyword' || words.length > 0)
  const done = async () => {
    await client.invalidateQueries({ queryKey: REPLIES_KEY })
    onClose()
  }
  const save = async () => {
    setBusy(true)
    setFailure(undefined)
    try {
      const body = { ...d, words: d.kind === 'keyword' ? words : [] }
      await (reply ? updateReply(reply.id, body) : createReply(body, key))
      toast.done(t('form.saved'))
      await done()
    } catch (error) {
      setFailure(error)
      setKey(idempotencyKey()) // what was refused may be sent again, changed
      setBusy(false)
    }
  }
  const remove = () =>
    reply &&
    void confirm({ title: t('form.deleteTitle', { name: reply.name }), body: t('form.deleteBody'), ok: t('form.delete'), danger: true, run: () => deleteReply(reply.id) }).then((gone) => {
      if (gone) void done()
    })
  return (
    <Drawer
      open
      onClose={onClose}
      title={reply ? t('form.edit') : t('form.new')}
      width={960}
      footer={
        <div className="kp-row">
          <Button type="primary" loading={busy} disabled={!ready} onClick={() => void save()}>
            {t('common:action.save')}
          </Button>
          <Button onClick={onClose}>{t('common:action.cancel')}</Button>
          <span className="kp-grow" />
          {reply && (
            <Button danger type="text" icon={<Trash2 size={15} aria-hidden />} onClick={remove}>
              {t('form.delete')}
            </Button>
          )}
        </div>
      }
    >
      {failure !== undefined && <Alert type="error" showIcon role="alert" style={{ marginBottom: 12 }} title={fields.length > 0 ? fields.map((f) => f.detail).join(' ') : say(failure).detail} />}
      <div className={css.edit}>
        <div className="kp-stack">
          <Labelled label={t('form.when')} hint={account.kind === 'wecom' && d.kind === 'follow' ? t('kind.greetHint') : t(`kind.${d.kind}Hint`)}>
            <Segmented
              aria-label={t('form.when')}
              disabled={reply !== undefined}
              value={d.kind}
              onChange={(kind) => setD({ ...firstOf(account.id, kind), name: d.name, contents: d.contents, tags: d.tags })}
              options={KINDS.map((k) => ({ value: k, label: t(`kind.${k}`) }))}
            />
          </Labelled>
          <Labelled label={t('col.name')} fault={faultOf('name')}>
            <Input value={d.name} maxLength={60} autoFocus aria-label={t('col.name')} placeholder={t('form.nameHint')} onChange={(e) => put({ name: e.target.value })} />
          </Labelled>
          {d.kind === 'keyword' && <WordsEditor value={d.words ?? []} onChange={(list) => put({ words: list })} faultOf={faultOf} />}
          <Labelled label={t('form.says')} fault={faultOf('contents')}>
            <ContentsEditor account={account} kind={d.kind} value={d.contents ?? []} onChange={(contents) => put({ contents })} faultOf={faultOf} />
          </Labelled>
          <After d={d} put={put} faultOf={faultOf} />
        </div>
        <aside className={css.side}>
          <Phone title={account.name}>
            {d.kind === 'keyword' && words[0] && (
              <div className={css.mine}>
                <p>{words[0].text}</p>
              </div>
            )}
            {(d.contents ?? []).map((c, i) => (
              <Bubble key={i} content={c.kind === 'text' && !c.text ? { ...c, text: t('form.textHint') } : c} from={account.name} />
            ))}
          </Phone>
        </aside>
      </div>
    </Drawer>
  )
}

/** A field with its label, what it is for, and what is wrong with it. */
export function Labelled({ label, fault, hint, children }: { label: string; fault?: string; hint?: string; children: ReactNode }) {
  return (
    <div className={css.field}>
      {label}
      {children}
      {hint && <p className={css.hint}>{hint}</p>}
      <Fault text={fault} />
    </div>
  )
}

const MATCHES = ['contains', 'exact', 'regex'] as const

function WordsEditor({ value, onChange, faultOf }: { value: readonly ReplyWord[]; onChange: (next: ReplyWord[]) => void; faultOf: FaultOf }) {
  const { t } = useTranslation('replies')
  const put = (i: number, patch: Partial<ReplyWord>) => onChange(value.map((w, k) => (k === i ? { ...w, ...patch } : w)))
  return (
    <Labelled label={t('form.words')} fault={faultOf('words')} hint={t('form.wordsHint')}>
      <div className="kp-stack tight">
        {value.map((w, i) => (
          <div key={i}>
            <div className={css.word}>
              <Select<NonNullable<ReplyWord['match']>>
                aria-label={t('form.match', { n: i + 1 })}
                value={w.match ?? 'exact'}
                onChange={(match) => put(i, { match })}
                options={MATCHES.map((m) => ({ value: m, label: t(`match.${m}`) }))}
                style={{ width: 110 }}
              />
              <Input
                value={w.text}
                maxLength={200}
                aria-label={t('form.word', { n: i + 1 })}
                status={faultOf(`words[${i}].text`) ? 'error' : undefined}
                placeholder={w.match === 'regex' ? t('form.patternHint') : t('form.wordHint')}
                onChange={(e) => put(i, { text: e.target.value })}
                onPressEnter={() => value.length < 50 && onChange([...value, { text: '', match: w.match }])}
              />
              <Button type="text" disabled={value.length === 1} aria-label={t('form.removeWord', { n: i + 1 })} icon={<Trash2 size={15} aria-hidden />} onClick={() => onChange(value.filter((_, k) => k !== i))} />
            </div>
            <Fault text={faultOf(`words[${i}].text`)} />
          </div>
        ))}
        <div>
          <Button size="small" icon={<Plus size={14} aria-hidden />} disabled={value.length >= 50} onClick={() => onChange([...value, { text: '', match: value.at(-1)?.match ?? 'contains' }])}>
            {t('form.addWord')}
          </Button>
        </div>
      </div>
    </Labelled>
  )
}

function After({ d, put, faultOf }: { d: ReplyInput; put: (patch: Partial<ReplyInput>) => void; faultOf: FaultOf }) {
  const { t } = useTranslation('replies')
  const zone = useTimezone()
  const tags = useQuery(tagsQuery())
  const day = (at: string | undefined, back = 0) => (at ? dayOf(Date.parse(at) - back, zone) : '')
  return (
    <div className={css.two}>
      <Labelled label={t('form.tags')} fault={(d.tags ?? []).map((_, i) => faultOf(`tags[${i}]`)).find(Boolean) ?? faultOf('tags')}>
        <Select<string[]>
          mode="multiple"
          aria-label={t('form.tags')}
          value={[...(d.tags ?? [])]}
          onChange={(v) => put({ tags: v })}
          showSearch={{ optionFilterProp: 'label' }}
          options={(tags.data?.groups ?? []).map((g) => ({ label: g.name, title: g.name, options: (g.tags ?? []).map((x) => ({ value: x.id, label: x.name })) }))}
        />
      </Labelled>
      <Labelled label={t('form.every')} fault={faultOf('everyHours')} hint={t('form.everyHint')}>
        <Input type="number" min={0} max={720} aria-label={t('form.every')} value={d.everyHours ?? 0} onChange={(e) => put({ everyHours: Math.max(0, Math.floor(Number(e.target.value) || 0)) })} />
      </Labelled>
      <Labelled label={t('form.from')} fault={faultOf('from')}>
        <Input type="date" aria-label={t('form.from')} value={day(d.from)} onChange={(e) => put({ from: e.target.value ? dayStart(e.target.value, zone).toISOString() : undefined })} />
      </Labelled>
      <Labelled label={t('form.until')} fault={faultOf('until')}>
        <Input type="date" aria-label={t('form.until')} value={day(d.until, 1)} onChange={(e) => put({ until: e.target.value ? dayStart(addDays(e.target.value, 1), zone).toISOString() : undefined })} />
      </Labelled>
      <label className={css.toggle}>
        <Switch size="small" checked={!d.off} onChange={(on) => put({ off: !on })} aria-label={t('form.on')} />
        {t('form.on')}
      </label>
    </div>
  )
}
