import { useQuery, useQueryClient } from '@tanstack/react-query'
import { ChevronLeft, ChevronRight, FileUp, Split } from 'lucide-react'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Channel, ChannelCosts } from '@/shared/api/types'
import { channelsQuery } from '@/shared/lib/channels'
import { formatMoney, minorUnits } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan, useTimezone } from '@/shared/lib/session'
import { addDays, dayOf, formatDay, type Day } from '@/shared/lib/time'
import { useUrlText } from '@/shared/lib/url'
import { useToast } from '@/shared/ui/feedback'
import { Button, Input } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Empty, QueryState } from '@/shared/ui/states'
import { cellKey, changedCells, GRID_DAYS, gridDays, readAmount, writeAmount } from '../costs'
import { costsQuery, setCosts } from '../queries'
import css from './channels.module.css'
import { CostUpload } from './CostUpload'
import { SpreadDialog } from './SpreadDialog'

/** What channels cost: typed in day by day, shared out over days, or taken from a file. */
export function CostsTab() {
  const { t } = useTranslation('channels')
  const { lang } = usePrefs()
  const zone = useTimezone()
  const mayEdit = useCan('acquire.write')
  const mayUpload = useCan('import.write')
  const [now] = useState(Date.now) // a page that stays open over midnight shows the days it was opened with
  const today = dayOf(now, zone)
  const [asked, setLast] = useUrlText('until')
  const last = /^\d{4}-\d{2}-\d{2}$/.test(asked) ? asked : today
  const days = useMemo(() => gridDays(last), [last])
  const tree = useQuery(channelsQuery(lang))
  const costs = useQuery(costsQuery(days[0] ?? last, last))
  const [open, setOpen] = useState<'spread' | 'file'>()
  return (
    <Panel
      title={t('costs.title')}
      desc={t('costs.desc')}
      extra={
        <>
          <Button icon={<ChevronLeft size={15} aria-hidden />} aria-label={t('costs.earlier')} onClick={() => setLast(addDays(last, -GRID_DAYS))} />
          <Button icon={<ChevronRight size={15} aria-hidden />} aria-label={t('costs.later')} disabled={last >= today} onClick={() => setLast(addDays(last, GRID_DAYS) >= today ? '' : addDays(last, GRID_DAYS))} />
          {mayEdit && (
            <Button icon={<Split size={15} aria-hidden />} onClick={() => setOpen('spread')}>
              {t('costs.spread')}
            </Button>
          )}
          {mayEdit && mayUpload && (
            <Button icon={<FileUp size={15} aria-hidden />} onClick={() => setOpen('file')}>
              {t('costs.file')}
            </Button>
          )}
        </>
      }
    >
      <QueryState query={tree} height={360}>
        {({ items }) => (
          <>
            <QueryState query={costs} height={360}>
              {(kept) => <CostGrid key={`${last} ${costs.dataUpdatedAt}`} channels={items.filter((c) => !c.archived)} days={days} kept={kept} mayEdit={mayEdit} />}
            </QueryState>
            {open === 'spread' && <SpreadDialog channels={items} currency={costs.data?.currency ?? 'CNY'} today={today} onClose={() => setOpen(undefined)} />}
            {open === 'file' && <CostUpload onClose={() => setOpen(undefined)} />}
          </>
        )}
      </QueryState>
    </Panel>
  )
}

interface GridProps {
  channels: Channel[]
  days: Day[]
  kept: ChannelCosts
  mayEdit: boolean
}

function CostGrid({ channels, days, kept, mayEdit }: GridProps) {
  const { t } = useTranslation(['channels', 'common'])
  const { lang } = usePrefs()
  const client = useQueryClient()
  const toast = useToast()
  const minor = minorUnits(kept.currency)
  const amounts = useMemo(() => new Map(kept.items.map((c) => [cellKey(c.channel, c.day), c.amount])), [kept])
  const [typed, setTyped] = useState<ReadonlyMap<string, string>>(new Map())
  const [busy, setBusy] = useState(false)
  const changed = changedCells(typed, amounts, minor)
  const amountOf = (key: string) => {
    const text = typed.get(key)
    return text === undefined ? (amounts.get(key) ?? 0) : (readAmount(text, minor) ?? 0)
  }
  const money = (amount: number) => (amount === 0 ? t('none') : formatMoney({ amount, currency: kept.currency }, lang))
  const sum = (keys: string[]) => keys.reduce((all, key) => all + amountOf(key), 0)
  const year = days.at(-1)?.slice(0, 4) ?? ''
  const save = async () => {
    if (!changed?.length) return
    setBusy(true)
    try {
      await setCosts(kept.currency, changed)
      toast.done(t('costs.saved', { count: changed.length }))
      await client.invalidateQueries({ queryKey: ['channels'] })
    } catch (error) {
      toast.failed(error)
    }
    setBusy(false)
  }
  if (channels.length === 0) return <Empty title={t('empty')} />
  return (
    <>
      <div className={css.scroll} tabIndex={0} role="region" aria-label={t('costs.title')}>
        <table className={css.costs}>
          <thead>
            <tr>
              <th scope="col">{t('costs.in', { currency: kept.currency })}</th>
              {days.map((d) => (
                <th key={d} scope="col">
                  {formatDay(d, lang, year)}
                </th>
              ))}
              <th scope="col">{t('costs.sum')}</th>
            </tr>
          </thead>
          <tbody>
            {channels.map((c) => (
              <tr key={c.id}>
                <th scope="row" style={{ paddingInlineStart: 6 + (c.path.length - 1) * 18 }}>
                  {c.name}
                </th>
                {days.map((d) => {
                  const key = cellKey(c.id, d)
                  const text = typed.get(key)
                  return (
                    <td key={d}>
                      {mayEdit ? (
                        <Input
                          size="small"
                          inputMode="decimal"
                          aria-label={t('costs.cell', { channel: c.name, day: d })}
                          status={text !== undefined && readAmount(text, minor) === undefined ? 'error' : undefined}
                          value={text ?? writeAmount(amounts.get(key) ?? 0, minor)}
                          onChange={(e) => setTyped(new Map(typed).set(key, e.target.value))}
                          onPressEnter={() => void save()}
                        />
                      ) : (
                        money(amountOf(key))
                      )}
                    </td>
                  )
                })}
                <td>{money(sum(days.map((d) => cellKey(c.id, d))))}</td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">{t('costs.sum')}</th>
              {days.map((d) => (
                <td key={d}>{money(sum(channels.map((c) => cellKey(c.id, d))))}</td>
              ))}
              <td>{money(sum(channels.flatMap((c) => days.map((d) => cellKey(c.id, d)))))}</td>
            </tr>
          </tfoot>
        </table>
      </div>
      {mayEdit && (
        <div className="kp-row kp-form-actions">
          <Button type="primary" loading={busy} disabled={!changed?.length} onClick={() => void save()}>
            {t('common:action.save')}
          </Button>
          <span className="kp-muted" role="status">
            {changed === undefined ? t('costs.wrong') : changed.length > 0 ? t('costs.changed', { count: changed.length }) : t('costs.hint')}
          </span>
        </div>
      )}
    </>
  )
}
