import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { Navigate, useNavigate } from 'react-router'
import type { SetupInput } from '@/shared/api/types'
import { usePrefs } from '@/shared/lib/prefs'
import { Field, Form, useForm } from '@/shared/ui/Form'
import { Input } from '@/shared/ui/kit'
import { CurrencySelect, LanguageSelect, TimezoneSelect } from '@/shared/ui/region'
import { ErrorState, Loading } from '@/shared/ui/states'
import { AuthFrame } from '../components/AuthFrame'
import { PasswordField } from '../components/PasswordField'
import { SESSION_KEY, setUp, setupQuery } from '../queries'

/** The first start on an empty server: the company and its first administrator. */
export default function SetupPage() {
  const { t } = useTranslation('session')
  const setup = useQuery(setupQuery())
  useEffect(() => {
    document.title = `${t('setup.title')} · ${t('brand.name')}`
  }, [t])
  if (setup.data && !setup.data.needed) return <Navigate to="/sign-in" replace />
  return (
    <AuthFrame wide title={t('setup.title')} lead={t('setup.lead')} foot={setup.data && t('brand.version', { version: setup.data.version })}>
      {setup.data ? <SetupForm /> : setup.error ? <ErrorState error={setup.error} onRetry={() => void setup.refetch()} /> : <Loading height={320} />}
    </AuthFrame>
  )
}

function SetupForm() {
  const { t } = useTranslation('session')
  const { lang, setLang } = usePrefs()
  const go = useNavigate()
  const client = useQueryClient()
  const [form] = useForm<SetupInput>()
  const initial = useMemo(
    () => ({ timezone: Intl.DateTimeFormat().resolvedOptions().timeZone || 'Asia/Shanghai', currency: 'CNY', language: lang }),
    // Only the language of the first drawing counts; later the field and the page change each other below.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [],
  )
  useEffect(() => form.setFieldValue('language', lang), [form, lang])

  const send = async (values: SetupInput) => {
    const me = await setUp({ ...values, company: values.company.trim(), name: values.name.trim(), email: values.email.trim() })
    client.setQueryData(['setup'], undefined)
    client.setQueryData(SESSION_KEY, me)
    await go('/', { replace: true })
  }
  return (
    <Form<SetupInput>
      form={form}
      initial={initial}
      submit={t('setup.submit')}
      onSubmit={send}
      block
      onChange={(v) => {
        if (v.language && v.language !== lang) void setLang(v.language)
      }}
    >
      <h2 className="kp-form-title">{t('setup.company')}</h2>
      <Field name="company" label={t('field.company')} rules={[{ required: true, whitespace: true, message: t('field.companyNeeded') }]}>
        <Input autoFocus autoComplete="organization" maxLength={100} placeholder={t('field.companyExample')} />
      </Field>
      <div className="kp-grid kp-form-grid wide-first">
        <Field name="timezone" label={t('field.timezone')} rules={[{ required: true }]}>
          <TimezoneSelect />
        </Field>
        <Field name="currency" label={t('field.currency')} rules={[{ required: true }]}>
          <CurrencySelect />
        </Field>
        <Field name="language" label={t('field.language')} rules={[{ required: true }]}>
          <LanguageSelect />
        </Field>
      </div>
      <h2 className="kp-form-title">{t('setup.admin')}</h2>
      <div className="kp-grid cols-2 kp-form-grid">
        <Field name="name" label={t('field.name')} rules={[{ required: true, whitespace: true, message: t('field.nameNeeded') }]}>
          <Input autoComplete="name" maxLength={60} />
        </Field>
        <Field
          name="email"
          label={t('field.email')}
          validateTrigger="onBlur"
          rules={[
            { required: true, message: t('field.emailNeeded') },
            { type: 'email', message: t('field.emailWrong') },
          ]}
        >
          <Input type="email" inputMode="email" autoComplete="username" maxLength={200} />
        </Field>
      </div>
      <PasswordField name="password" label={t('field.password')} />
    </Form>
  )
}
