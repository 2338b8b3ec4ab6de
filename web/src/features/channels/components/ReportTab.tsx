import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { ChannelLine, ChannelReport } from '@/shared/api/types'
import { usePrefs } from '@/shared/lib/prefs'
import { useUrlRange, useUrlText } from '@/shared/lib/url'
import { DateRange } from '@/shared/ui/DateRange'
import { Button, Select } from '@/shared/ui/kit'
import { Kpi } from '@/shared/ui/Kpi'
import { Panel } from '@/shared/ui/Panel'
import { Empty, QueryState } from '@/shared/ui/states'
import { DOWN, figureChange, KPIS, peopleOf, useFigureText } from '../figures'
import { reportQuery, type ReportScope } from '../queries'
import css from './channels.module.css'
import { ReportTable } from './ReportTable'
import { TrendPanel } from './TrendPanel'

interface Props {
  onEdit?: (id: string) => void
  onCosts: () => void
}

/** What each channel brought in a period, and what it cost. */
export function ReportTab({ onEdit, onCosts }: Props) {
  const { t } = useTranslation('channels')
  const { lang } = usePrefs()
  const [range, setRange] = useUrlRange('30d')
  const [currency, setCurrency] = useUrlText('currency')
  const query = useQuery(reportQuery({ from: range.from, to: range.to, currency: currency || undefined }, lang))
  return (
    <>
      <div className={css.bar}>
        <DateRange value={range} onChange={setRange} />
        {query.data && query.data.currencies.length > 1 && (
          <Select aria-label={t('currency')} value={query.data.currency} onChange={setCurrency} options={query.data.currencies.map((c) => ({ value: c, label: c }))} style={{ minWidth: 90 }} />
        )}
      </div>
      <QueryState query={query} height={420}>
        {(report) => <Report report={report} busy={query.isPlaceholderData} onEdit={onEdit} onCosts={onCosts} />}
      </QueryState>
    </>
  )
}

function Report({ report, busy, onEdit, onCosts }: Props & { report: ChannelReport; busy: boolean }) {
  const { t } = useTranslation('channels')
  const [picked, setPicked] = useState<ChannelLine>()
  const write = useFigureText(report.currency)
  const scope: ReportScope = { from: report.from, to: report.to, currency: report.currency }
  const nothing = report.total.visitors === 0 && report.total.new === 0 && report.total.cost === 0
  return (
    <div className="kp-stack" aria-busy={busy}>
      <div className={css.kpis}>
        {KPIS.map((key) => (
          <Kpi
            key={key}
            label={t(`figure.${key}`)}
            hint={t(`hint.${key}`)}
            value={write(key, report.total[key], true)}
            exact={write(key, report.total[key])}
            change={figureChange(key, report.total, report.before)}
            downIsGood={DOWN.has(key)}
            neutral={key === 'cost'}
            to={report.total[key] ? peopleOf(key, scope) : undefined}
          />
        ))}
      </div>
      {report.total.cost === 0 && !nothing && (
        <p className={css.note} role="status">
          {t('noCosts')}
          <Button type="link" size="small" onClick={onCosts}>
            {t('typeCosts')}
          </Button>
        </p>
      )}
      <Panel title={t('table.title')} desc={t('table.desc')} flush>
        {nothing ? <Empty title={t('empty')} desc={t('emptyDesc')} /> : <ReportTable report={report} scope={scope} picked={picked?.channel} onPick={setPicked} onEdit={onEdit} />}
      </Panel>
      <TrendPanel scope={{ ...scope, channel: picked?.channel }} name={picked?.name} onAll={picked ? () => setPicked(undefined) : undefined} />
    </div>
  )
}
