import { useQuery } from '@tanstack/react-query'
import { Eye, RotateCw } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { OpenedCallback } from '@/shared/api/types'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { CopyText } from '@/shared/ui/copy'
import { Dialog } from '@/shared/ui/Drawer'
import { Field, Form } from '@/shared/ui/Form'
import { Button, Input } from '@/shared/ui/kit'
import { QueryState } from '@/shared/ui/states'
import { DateTime } from '@/shared/ui/values'
import { callbackQuery, revealCallback } from '../queries'
import styles from './connectors.module.css'

/** What a callback says, with personal values masked until somebody gives a reason. */
export function CallbackBody({ id, onReplay }: { id: string; onReplay?: () => Promise<void> }) {
  const { t } = useTranslation('connectors')
  const { lang } = usePrefs()
  const query = useQuery(callbackQuery(id, lang))
  const [full, setFull] = useState<OpenedCallback>()
  return (
    <QueryState query={query} height={120}>
      {(masked) => {
        const c = full ?? masked
        return (
          <div className="kp-stack">
            <dl className={styles.settings}>
              <dt>{t('body.id')}</dt>
              <dd>
                <CopyText text={c.id} label={t('body.id')} />
              </dd>
              {c.subject && (
                <>
                  <dt>{t('body.subject')}</dt>
                  <dd>
                    <code>{c.subject}</code>
                  </dd>
                </>
              )}
              <dt>{t('body.happened')}</dt>
              <dd>
                <DateTime at={c.happenedAt} seconds />
              </dd>
              {c.doneAt && (
                <>
                  <dt>{t('body.done')}</dt>
                  <dd>
                    <DateTime at={c.doneAt} seconds />
                  </dd>
                </>
              )}
            </dl>
            <pre className={styles.body}>{c.body}</pre>
            <div className="kp-row">
              {onReplay && (
                <Button size="small" icon={<RotateCw size={14} aria-hidden />} onClick={() => void onReplay()}>
                  {t('replay.one')}
                </Button>
              )}
              {c.masked && <Reveal id={id} onShown={setFull} />}
            </div>
          </div>
        )
      }}
    </QueryState>
  )
}

function Reveal({ id, onShown }: { id: string; onShown: (c: OpenedCallback) => void }) {
  const { t } = useTranslation('connectors')
  const may = useCan('contact.unmask')
  const [open, setOpen] = useState(false)
  if (!may) return null
  return (
    <>
      <Button size="small" icon={<Eye size={14} aria-hidden />} onClick={() => setOpen(true)}>
        {t('reveal.do')}
      </Button>
      <Dialog open={open} onClose={() => setOpen(false)} title={t('reveal.do')}>
        <p className="kp-muted kp-dialog-lead">{t('reveal.recorded')}</p>
        <Form<{ reason: string }>
          submit={t('reveal.do')}
          onSubmit={async ({ reason }) => {
            onShown(await revealCallback(id, reason.trim()))
            setOpen(false)
          }}
        >
          <Field name="reason" label={t('reveal.reason')} rules={[{ required: true, whitespace: true, message: t('reveal.needed') }]}>
            <Input.TextArea rows={2} maxLength={200} autoFocus />
          </Field>
        </Form>
      </Dialog>
    </>
  )
}
