import { useQueryClient } from '@tanstack/react-query'
import { CheckCircle2, RotateCw } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useCursorList } from '@/shared/api/cursor'
import type { Webhook, WebhookDelivery } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { useUrlChoice } from '@/shared/lib/url'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { useToast } from '@/shared/ui/feedback'
import { Button, Segmented } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { DateTime, None } from '@/shared/ui/values'
import { deliveriesPage, retryDeliveries, WEBHOOKS_KEY } from '../queries'
import css from './webhooks.module.css'

const STATES = ['waiting', 'dead'] as const
type State = (typeof STATES)[number]

/** What has not arrived: deliveries that wait, and those that were given up, with why. What arrived is not kept. */
export function Deliveries({ webhook: w }: { webhook: Webhook }) {
  const { t } = useTranslation('webhooks')
  const { lang } = usePrefs()
  const client = useQueryClient()
  const toast = useToast()
  const may = useCan('keys.write')
  // What there was when the page was opened: the choice must not change by itself.
  const [fallback] = useState<State>(w.waiting === 0 && w.dead > 0 ? 'dead' : 'waiting')
  const [state, setState] = useUrlChoice<State>('deliveries', STATES, fallback)
  const [busy, setBusy] = useState<string>()
  const list = useCursorList<WebhookDelivery>(deliveriesPage(w.id, state, lang))
  const again = async (ids?: string[]) => {
    setBusy(ids?.[0] ?? 'all')
    try {
      const { count } = await retryDeliveries(w.id, ids)
      toast.done(t('deliveries.queued', { count }))
      await client.invalidateQueries({ queryKey: WEBHOOKS_KEY })
    } catch (error) {
      toast.failed(error)
    } finally {
      setBusy(undefined)
    }
  }
  const paused = w.state === 'paused'
  const first = list.items[0]
  const columns: Column<WebhookDelivery>[] = [
    {
      key: 'at',
      title: t('deliveries.at'),
      width: 190,
      render: (d) => (
        <span className={css.hook}>
          <DateTime at={d.at} seconds />
          <small title={t('deliveries.id')}>{d.id}</small>
        </span>
      ),
    },
    { key: 'events', title: t('deliveries.events'), align: 'right', render: (d) => formatInt(d.events, lang) },
    { key: 'tries', title: t('deliveries.tries'), align: 'right', render: (d) => formatInt(d.tries, lang) },
    {
      key: 'fault',
      title: t('deliveries.fault'),
      render: (d) =>
        d.message ? (
          <span className={css.fault}>
            {d.message}
            {d.status ? <small className="kp-muted">{t('deliveries.status', { status: d.status })}</small> : null}
          </span>
        ) : d.id === first?.id ? (
          <span className="kp-muted">{t(paused ? 'deliveries.paused' : 'deliveries.soon')}</span>
        ) : (
          <span className="kp-muted">{t('deliveries.behind')}</span>
        ),
    },
    ...(state === 'waiting' ? [{ key: 'next', title: t('deliveries.next'), render: (d: WebhookDelivery) => (d.next && !paused ? <DateTime at={d.next} seconds /> : <None />) }] : []),
    {
      key: 'do',
      title: '',
      align: 'right',
      // Of those that wait only the first can be tried: the others come after it.
      render: (d) =>
        may && !(paused && state === 'waiting') && (state === 'dead' || (d.id === first?.id && d.tries > 0)) ? (
          <Button size="small" loading={busy === d.id} onClick={() => void again([d.id])}>
            {state === 'dead' ? t('deliveries.again') : t('deliveries.now')}
          </Button>
        ) : null,
    },
  ]
  const empty = (
    <Empty
      icon={<CheckCircle2 size={26} strokeWidth={1.5} aria-hidden />}
      title={state === 'dead' ? t('deliveries.noneDead') : t('deliveries.noneWaiting')}
      desc={state === 'dead' ? undefined : w.sentAt ? t('deliveries.arrived') : t('deliveries.nothingYet')}
    />
  )
  return (
    <Panel
      flush
      title={t('deliveries.title')}
      desc={t('deliveries.desc')}
      extra={
        may &&
        state === 'dead' &&
        w.dead > 0 && (
          <Button icon={<RotateCw size={15} aria-hidden />} loading={busy === 'all'} onClick={() => void again()}>
            {t('deliveries.allAgain')}
          </Button>
        )
      }
    >
      <div className={css.tabs}>
        <Segmented
          aria-label={t('deliveries.which')}
          value={state}
          onChange={setState}
          options={[
            { value: 'waiting', label: t('deliveries.waiting', { n: formatInt(w.waiting, lang) }) },
            { value: 'dead', label: t('deliveries.dead', { n: formatInt(w.dead, lang) }) },
          ]}
        />
      </div>
      <DataTable label={t('deliveries.title')} list={list} columns={columns} rowKey={(d) => d.id} empty={empty} skeletonRows={3} />
    </Panel>
  )
}
