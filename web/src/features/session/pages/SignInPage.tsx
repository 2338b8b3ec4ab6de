import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Fish } from 'lucide-react'
import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { Navigate, useNavigate, useSearchParams } from 'react-router'
import type { Setup } from '@/shared/api/types'
import type { Lang } from '@/shared/i18n/lang'
import { usePrefs } from '@/shared/lib/prefs'
import { Field, Form, useForm } from '@/shared/ui/Form'
import { Button, Input } from '@/shared/ui/kit'
import { AuthFrame } from '../components/AuthFrame'
import styles from '../components/DemoHint.module.css'
import { safeNext } from '../next'
import { SESSION_KEY, setupQuery, signIn, updateMe } from '../queries'

interface Values {
  email: string
  password: string
}

/** Sign in, and go on to where the reader wanted to be. */
export default function SignInPage() {
  const { t } = useTranslation('session')
  const [params] = useSearchParams()
  const go = useNavigate()
  const client = useQueryClient()
  const { lang, setLang } = usePrefs()
  const setup = useQuery(setupQuery())
  const [form] = useForm<Values>()
  const chosen = useRef<Lang>(undefined)
  useEffect(() => {
    document.title = `${t('signIn.title')} · ${t('brand.name')}`
  }, [t])
  if (setup.data?.needed) return <Navigate to="/setup" replace />

  const send = async (values: Values) => {
    let me = await signIn({ email: values.email.trim(), password: values.password })
    // What was chosen on this page a moment ago counts more than what was stored.
    if (chosen.current && me.user.language !== chosen.current) me = await updateMe({ language: chosen.current })
    if (me.user.language !== lang) await setLang(me.user.language)
    client.setQueryData(SESSION_KEY, me)
    await go(safeNext(params.get('next')), { replace: true })
  }
  return (
    <AuthFrame
      title={t('signIn.title')}
      lead={t('signIn.lead')}
      foot={setup.data && t('brand.version', { version: setup.data.version })}
      onLang={(l) => {
        chosen.current = l
      }}
    >
      {setup.data?.demo && <DemoHint setup={setup.data} onFill={(v) => form.setFieldsValue(v)} />}
      <Form<Values> form={form} submit={t('signIn.submit')} onSubmit={send} block>
        <Field
          name="email"
          label={t('field.email')}
          rules={[
            { required: true, message: t('field.emailNeeded') },
            { type: 'email', message: t('field.emailWrong') },
          ]}
          validateTrigger="onBlur"
        >
          <Input type="email" inputMode="email" autoComplete="username" autoFocus />
        </Field>
        <Field name="password" label={t('field.password')} rules={[{ required: true, message: t('password.needed') }]}>
          <Input.Password autoComplete="current-password" />
        </Field>
      </Form>
    </AuthFrame>
  )
}

/** Says that this is the demo pond and how to get in. */
function DemoHint({ setup, onFill }: { setup: Setup; onFill: (values: Values) => void }) {
  const { t } = useTranslation('session')
  const account = setup.demoAccount
  return (
    <aside className={styles.hint}>
      <Fish size={18} aria-hidden />
      <div>
        <b>{t('demo.title')}</b>
        {account ? (
          <dl>
            <dt>{t('field.email')}</dt>
            <dd>{account.email}</dd>
            <dt>{t('field.password')}</dt>
            <dd>{account.password}</dd>
          </dl>
        ) : (
          <p>{t('demo.terminal')}</p>
        )}
      </div>
      {account && (
        <Button size="small" onClick={() => onFill(account)}>
          {t('demo.fill')}
        </Button>
      )}
    </aside>
  )
}
