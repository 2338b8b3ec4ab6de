import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import type { Company } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { useToast } from '@/shared/ui/feedback'
import { Field, Form } from '@/shared/ui/Form'
import { Input } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { CurrencySelect, LanguageSelect, TimezoneSelect } from '@/shared/ui/region'
import { Denied, QueryState } from '@/shared/ui/states'
import { saveSettings, settingsQuery } from '../queries'

/** The company: its name, and the time zone and currency every number is shown in. */
export default function SettingsPage() {
  const { t } = useTranslation('settings')
  const query = useQuery(settingsQuery())
  const may = useCan('settings.write')
  return (
    <Page narrow>
      <PageHead title={t('title')} desc={t('desc')} />
      <Panel title={t('company.title')}>{may ? <QueryState query={query} height={220}>{(data) => <CompanyForm data={data} />}</QueryState> : <Denied />}</Panel>
    </Page>
  )
}

function CompanyForm({ data }: { data: Company }) {
  const { t } = useTranslation(['settings', 'common'])
  const client = useQueryClient()
  const toast = useToast()
  const save = async (values: Company) => {
    const next = await saveSettings({ ...values, company: values.company.trim() })
    client.setQueryData(settingsQuery().queryKey, next)
    toast.done(t('saved'))
    // Every time and amount on every page may read differently now.
    await client.invalidateQueries()
  }
  return (
    <Form<Company> initial={data} submit={t('common:action.save')} onSubmit={save}>
      <Field name="company" label={t('company.name')} rules={[{ required: true, whitespace: true, message: t('company.nameNeeded') }]}>
        <Input maxLength={100} autoComplete="organization" />
      </Field>
      <div className="kp-grid kp-form-grid wide-first">
        <Field name="timezone" label={t('company.timezone')} extra={t('company.timezoneHint')} rules={[{ required: true }]}>
          <TimezoneSelect />
        </Field>
        <Field name="currency" label={t('company.currency')} extra={t('company.currencyHint')} rules={[{ required: true }]}>
          <CurrencySelect />
        </Field>
        <Field name="language" label={t('company.language')} extra={t('company.languageHint')} rules={[{ required: true }]}>
          <LanguageSelect />
        </Field>
      </div>
    </Form>
  )
}
