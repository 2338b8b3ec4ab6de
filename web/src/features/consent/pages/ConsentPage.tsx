import { useMutation, useQuery } from '@tanstack/react-query'
import { ShieldCheck } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { useUrlChoice } from '@/shared/lib/url'
import { useToast } from '@/shared/ui/feedback'
import { Alert, Button, Tabs } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { DateTime } from '@/shared/ui/values'
import { Purposes } from '../components/Purposes'
import { Recent } from '../components/Recent'
import { Suppressions } from '../components/Suppressions'
import { TotalsPanel } from '../components/TotalsPanel'
import { checkQuery, startCheck } from '../queries'

const TABS = ['totals', 'recent', 'suppressions', 'purposes'] as const

/** Consent of everybody: how many, what changed, who is not to be reached, and whether the record is whole. */
export default function ConsentPage() {
  const { t } = useTranslation('consent')
  const [tab, setTab] = useUrlChoice('tab', TABS, 'totals')
  return (
    <Page>
      <PageHead title={t('page.title')} desc={t('page.desc')} extra={<CheckButton />} />
      <LastCheck />
      <Tabs
        activeKey={tab}
        onChange={(key) => setTab(key as (typeof TABS)[number])}
        destroyOnHidden
        items={[
          { key: 'totals', label: t('totals.title'), children: <TotalsPanel /> },
          { key: 'recent', label: t('recent.title'), children: <div className="kp-stack"><Recent /></div> },
          { key: 'suppressions', label: t('suppress.title'), children: <Suppressions /> },
          { key: 'purposes', label: t('purpose.title'), children: <Purposes /> },
        ]}
      />
    </Page>
  )
}

function CheckButton() {
  const { t } = useTranslation('consent')
  const toast = useToast()
  const may = useCan('consent.write')
  const run = useMutation({ mutationFn: startCheck, onSuccess: () => toast.done(t('check.started')), onError: (error) => toast.failed(error) })
  if (!may) return null
  return (
    <Button icon={<ShieldCheck size={15} aria-hidden />} loading={run.isPending} onClick={() => run.mutate()}>
      {t('check.run')}
    </Button>
  )
}

/** What the last check of the chain found; looks again while the page is open. */
function LastCheck() {
  const { t } = useTranslation('consent')
  const { lang } = usePrefs()
  const { data } = useQuery({ ...checkQuery(), refetchInterval: 5000 })
  if (!data?.at) return null
  const good = data.ok && data.mended === 0
  return (
    <Alert
      className="kp-form-alert"
      showIcon
      type={good ? 'success' : data.ok ? 'warning' : 'error'}
      title={
        <>
          {data.ok ? t('check.good', { rows: formatInt(data.rows, lang) }) : t('check.bad', { row: data.firstBad ?? 0, why: t(`check.${data.fault ?? 'edited'}`) })}
          {data.mended > 0 && ` ${t('check.mended', { count: data.mended })}`} <DateTime at={data.at} />
        </>
      }
    />
  )
}
