import { useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import type { Language } from '@/shared/api/types'
import { usePrefs } from '@/shared/lib/prefs'
import { useMe } from '@/shared/lib/session'
import { useToast } from '@/shared/ui/feedback'
import { Field, Form, useForm } from '@/shared/ui/Form'
import { Input } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { LanguageSelect } from '@/shared/ui/region'
import { NameMark } from '@/shared/ui/values'
import { PasswordField } from '../components/PasswordField'
import { SessionList } from '../components/SessionList'
import { changePassword, SESSION_KEY, updateMe } from '../queries'

/** What a user may change about themselves: name, language, password, and where they are signed in. */
export default function AccountPage() {
  const { t } = useTranslation('session')
  const me = useMe()
  return (
    <Page narrow>
      <PageHead title={t('account.title')} desc={`${me.user.email} · ${me.user.roleName}`} />
      <Profile />
      <Password />
      <SessionList />
    </Page>
  )
}

function Profile() {
  const { t } = useTranslation(['session', 'common'])
  const me = useMe()
  const client = useQueryClient()
  const toast = useToast()
  const { lang, setLang } = usePrefs()
  const save = async (values: { name: string; language: Language }) => {
    const next = await updateMe({ name: values.name.trim(), language: values.language })
    client.setQueryData(SESSION_KEY, next)
    if (values.language !== lang) await setLang(values.language)
    toast.done(t('account.saved'))
  }
  return (
    <Panel title={t('account.profile')} extra={<NameMark name={me.user.name} size={36} />}>
      <Form<{ name: string; language: Language }>
        key={me.user.language}
        initial={{ name: me.user.name, language: me.user.language }}
        submit={t('common:action.save')}
        onSubmit={save}
      >
        <div className="kp-grid cols-2 kp-form-grid">
          <Field name="name" label={t('field.name')} rules={[{ required: true, whitespace: true, message: t('field.nameNeeded') }]}>
            <Input autoComplete="name" maxLength={60} />
          </Field>
          <Field name="language" label={t('field.language')} rules={[{ required: true }]}>
            <LanguageSelect />
          </Field>
        </div>
      </Form>
    </Panel>
  )
}

function Password() {
  const { t } = useTranslation('session')
  const me = useMe()
  const client = useQueryClient()
  const toast = useToast()
  const [form] = useForm<{ current: string; next: string }>()
  const save = async (values: { current: string; next: string }) => {
    await changePassword({ current: values.current, next: values.next })
    form.resetFields()
    toast.done(t('account.passwordChanged'))
    await client.invalidateQueries({ queryKey: ['session', 'list'] })
  }
  return (
    <Panel title={t('account.passwordTitle')} desc={t('account.passwordDesc')}>
      <Form<{ current: string; next: string }> form={form} submit={t('account.passwordTitle')} onSubmit={save}>
        <input type="hidden" name="username" autoComplete="username" value={me.user.email} readOnly />
        <div className="kp-grid cols-2 kp-form-grid">
          <Field name="current" label={t('field.passwordCurrent')} rules={[{ required: true, message: t('password.needed') }]}>
            <Input.Password autoComplete="current-password" />
          </Field>
          <PasswordField name="next" label={t('field.passwordNew')} email={me.user.email} />
        </div>
      </Form>
    </Panel>
  )
}
