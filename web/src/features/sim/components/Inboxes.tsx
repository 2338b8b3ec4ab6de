import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { MailOpen, MailX, Send, ShieldAlert } from 'lucide-react'
import { useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'
import type { SimLetter } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { Chip } from '@/shared/ui/chips'
import { useToast } from '@/shared/ui/feedback'
import { Button, Input, Segmented, Select } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Empty, QueryState } from '@/shared/ui/states'
import { TimeAgo } from '@/shared/ui/values'
import { answerText, boxesQuery, doLetter, inboxesQuery, lettersQuery, setBox, setNumber, textsQuery } from '../inboxQueries'
import css from './inboxes.module.css'

const NUMBER_STATES = ['fine', 'off', 'refuses', 'absent'] as const
const BOX_STATES = ['fine', 'full', 'gone', 'absent'] as const

/** Where short messages and mails arrive, and what their readers do about them. */
export function Inboxes() {
  const { t } = useTranslation('sim')
  const [side, setSide] = useState<'sms' | 'mail'>('sms')
  return (
    <Panel
      title={t('inbox.title')}
      desc={t('inbox.desc')}
      extra={<Segmented value={side} onChange={setSide} options={[{ value: 'sms', label: t('inbox.sms') }, { value: 'mail', label: t('inbox.mail') }]} />}
    >
      {side === 'sms' ? <Texts /> : <Mails />}
    </Panel>
  )
}

/** What a person does, with what is on the page asked for again afterwards. */
function useDo() {
  const client = useQueryClient()
  const toast = useToast()
  return useMutation({ mutationFn: (run: () => Promise<unknown>) => run(), onError: toast.failed, onSettled: () => client.invalidateQueries({ queryKey: ['sim'] }) })
}

function Texts() {
  const { t } = useTranslation('sim')
  const may = useCan('connector.write')
  const query = useQuery(inboxesQuery())
  const [picked, setPicked] = useState<string>()
  const [words, setWords] = useState('')
  const list = query.data?.items ?? []
  const box = list.find((i) => i.number === picked) ?? list[0]
  const texts = useQuery({ ...textsQuery(box?.number ?? ''), enabled: Boolean(box) })
  const doing = useDo()
  const reply = (text: string) => {
    if (!box || !text.trim()) return
    doing.mutate(() => answerText(box.number, text.trim()))
    setWords('')
  }
  const send = (e: FormEvent) => {
    e.preventDefault()
    reply(words)
  }
  return (
    <QueryState query={query} height={260}>
      {() =>
        !box ? (
          <Empty title={t('inbox.noTexts')} desc={t('inbox.noTextsDesc')} />
        ) : (
          <div className={css.two}>
            <ul className={css.list} aria-label={t('inbox.sms')}>
              {list.map((i) => (
                <li key={i.number}>
                  <button type="button" aria-pressed={i.number === box.number} onClick={() => setPicked(i.number)}>
                    <b>{i.name || i.number}</b>
                    <small>{i.last}</small>
                  </button>
                </li>
              ))}
            </ul>
            <div className={css.pane}>
              <div className={css.head}>
                <b>{box.number}</b>
                {may && <Select aria-label={t('inbox.numberState')} value={box.state} style={{ minWidth: 150 }} onChange={(v) => doing.mutate(() => setNumber(box.number, v))} options={NUMBER_STATES.map((s) => ({ value: s, label: t(`inbox.number.${s}`) }))} />}
              </div>
              <ol className={css.texts} aria-live="polite">
                {(texts.data?.items ?? []).map((x) => (
                  <li key={x.id} data-me={x.reply || undefined}>
                    <p>{x.words}</p>
                    <small>
                      <TimeAgo at={x.at} />
                      {!x.reply && !x.arrived && <> · {t('inbox.lost')}</>}
                      {x.segments ? <> · {t('inbox.segments', { count: x.segments })}</> : null}
                    </small>
                  </li>
                ))}
              </ol>
              {may && (
                <form className={css.reply} onSubmit={send}>
                  <Button onClick={() => reply('TD')} disabled={doing.isPending}>
                    {t('inbox.td')}
                  </Button>
                  <Input value={words} onChange={(e) => setWords(e.target.value)} maxLength={300} placeholder={t('inbox.reply')} aria-label={t('inbox.reply')} />
                  <Button htmlType="submit" icon={<Send size={15} aria-hidden />} disabled={!words.trim() || doing.isPending} aria-label={t('chat.send')} />
                </form>
              )}
            </div>
          </div>
        )
      }
    </QueryState>
  )
}

function Mails() {
  const { t } = useTranslation('sim')
  const may = useCan('connector.write')
  const query = useQuery(boxesQuery())
  const [picked, setPicked] = useState<string>()
  const list = query.data?.items ?? []
  const box = list.find((b) => b.address === picked) ?? list[0]
  const letters = useQuery({ ...lettersQuery(box?.address ?? ''), enabled: Boolean(box) })
  const doing = useDo()
  return (
    <QueryState query={query} height={260}>
      {() =>
        !box ? (
          <Empty title={t('inbox.noMails')} desc={t('inbox.noMailsDesc')} />
        ) : (
          <div className={css.two}>
            <ul className={css.list} aria-label={t('inbox.mail')}>
              {list.map((b) => (
                <li key={b.address}>
                  <button type="button" aria-pressed={b.address === box.address} onClick={() => setPicked(b.address)}>
                    <b>{b.address}</b>
                    <small>{b.last}</small>
                  </button>
                </li>
              ))}
            </ul>
            <div className={css.pane}>
              <div className={css.head}>
                <b>{box.address}</b>
                {may && <Select aria-label={t('inbox.boxState')} value={box.state} style={{ minWidth: 170 }} onChange={(v) => doing.mutate(() => setBox(box.address, v))} options={BOX_STATES.map((s) => ({ value: s, label: t(`inbox.box.${s}`) }))} />}
              </div>
              {(letters.data?.items ?? []).map((l) => (
                <Mail key={l.id} letter={l} busy={doing.isPending} may={may} onDo={(does) => doing.mutate(() => doLetter(l.id, does))} />
              ))}
            </div>
          </div>
        )
      }
    </QueryState>
  )
}

interface MailProps {
  letter: SimLetter
  busy: boolean
  may: boolean
  onDo: (does: 'open' | 'unsubscribe' | 'report') => void
}

/** One mail as a mail program shows it: its text, never its HTML, which is somebody's. */
function Mail({ letter: l, busy, may, onDo }: MailProps) {
  const { t } = useTranslation('sim')
  return (
    <article className={css.mail}>
      <h4>{l.subject}</h4>
      <small>
        {l.name || l.from} &lt;{l.from}&gt; · <TimeAgo at={l.at} />
      </small>
      <span className="kp-row">
        <Chip tone={l.signed === 'yes' ? 'good' : 'warn'}>{t(`inbox.signed.${l.signed as 'yes'}`)}</Chip>
        {l.left && <Chip tone="neutral">{t('inbox.left')}</Chip>}
        {l.reported && <Chip tone="bad">{t('inbox.reported')}</Chip>}
      </span>
      {l.opened && <p className={css.body}>{l.text}</p>}
      {may && (
        <span className="kp-row">
          {!l.opened && (
            <Button size="small" icon={<MailOpen size={14} aria-hidden />} disabled={busy} onClick={() => onDo('open')}>
              {t('inbox.open')}
            </Button>
          )}
          {l.unsubscribe && !l.left && (
            <Button size="small" icon={<MailX size={14} aria-hidden />} disabled={busy} onClick={() => onDo('unsubscribe')}>
              {t('inbox.unsubscribe')}
            </Button>
          )}
          {!l.reported && (
            <Button size="small" danger icon={<ShieldAlert size={14} aria-hidden />} disabled={busy} onClick={() => onDo('report')}>
              {t('inbox.report')}
            </Button>
          )}
        </span>
      )}
    </article>
  )
}
