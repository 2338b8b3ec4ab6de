import { useMutation } from '@tanstack/react-query'
import { Send } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { ReplyTried } from '@/shared/api/types'
import { Alert, Button, Input } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { useErrorText } from '@/shared/ui/states'
import { tryReply } from '../queries'
import { Bubble, Phone } from './Phone'
import css from './replies.module.css'

/** A message as a customer might write it: which rule answers, and why. Nothing is sent. */
export function TryIt({ account }: { account: string }) {
  const { t } = useTranslation('replies')
  const say = useErrorText()
  const [text, setText] = useState('')
  const [asked, setAsked] = useState('')
  const run = useMutation({ mutationFn: (words: string) => tryReply({ account, kind: 'message', text: words }) })
  const go = () => {
    setAsked(text)
    run.mutate(text)
  }
  return (
    <Panel title={t('try.title')} desc={t('try.desc')}>
      <div className="kp-stack">
        <Phone title={t('phone.account')}>
          {run.data ? (
            <>
              <div className={css.mine}>
                <p>{asked}</p>
              </div>
              {(run.data.contents ?? []).map((c, i) => (
                <Bubble key={i} content={c} />
              ))}
              {(run.data.contents ?? []).length === 0 && <p className={css.note}>{t('try.silence')}</p>}
            </>
          ) : (
            <p className={css.note}>{t('try.first')}</p>
          )}
        </Phone>
        <form
          className={css.ask}
          onSubmit={(e) => {
            e.preventDefault()
            if (text.trim() !== '') go()
          }}
        >
          <Input value={text} maxLength={1000} aria-label={t('try.field')} placeholder={t('try.field')} onChange={(e) => setText(e.target.value)} />
          <Button type="primary" htmlType="submit" loading={run.isPending} disabled={text.trim() === ''} aria-label={t('try.send')} icon={<Send size={15} aria-hidden />} />
        </form>
        {run.error && <Alert type="error" showIcon title={say(run.error).detail} />}
        {run.data && <Why tried={run.data} />}
      </div>
    </Panel>
  )
}

function Why({ tried }: { tried: ReplyTried }) {
  const { t } = useTranslation('replies')
  return (
    <div className={css.why} role="status">
      {tried.why === 'none' && <p>{t('why.none')}</p>}
      {tried.why === 'keyword' && tried.word && <p>{t('why.keyword', { name: tried.name, word: tried.word.text, match: t(`match.${tried.word.match ?? 'exact'}`) })}</p>}
      {tried.why === 'off_hours' && <p>{t('why.off_hours', { name: tried.name })}</p>}
      {tried.why === 'default' && <p>{t('why.default', { name: tried.name })}</p>}
      {!!tried.everyHours && <p className="kp-muted">{t('why.once', { count: tried.everyHours })}</p>}
      {(tried.others ?? []).length > 0 && <p className="kp-muted">{t('why.others', { names: (tried.others ?? []).map((o) => o.name).join('、') })}</p>}
    </div>
  )
}
