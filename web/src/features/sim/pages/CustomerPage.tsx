import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Bug, Smartphone } from 'lucide-react'
import { useCallback, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { isNotFound } from '@/shared/api/errors'
import type { SimAct, SimWorld } from '@/shared/api/types'
import { useUrlChoice, useUrlPatch, useUrlText } from '@/shared/lib/url'
import { useToast } from '@/shared/ui/feedback'
import { Alert, Button, Segmented } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Empty, QueryState } from '@/shared/ui/states'
import { Desk } from '../components/Desk'
import { Faults } from '../components/Faults'
import { Inboxes } from '../components/Inboxes'
import { Known } from '../components/Known'
import { People } from '../components/People'
import { Phone } from '../components/Phone'
import css from '../components/sim.module.css'
import { Story } from '../components/Story'
import { act, knownQuery, phoneQuery, worldQuery } from '../queries'
import { useDiary } from '../useDiary'

const SIDES = ['phone', 'story', 'people'] as const

/** Be a customer: somebody's phone, and beside it what Koipond hears and does. */
export default function CustomerPage() {
  const { t } = useTranslation('sim')
  const query = useQuery(worldQuery())
  const [faults, setFaults] = useState(false)
  const ordered = query.data?.faults?.length ?? 0
  if (query.error && isNotFound(query.error))
    return (
      <Page>
        <PageHead title={t('title')} />
        <Empty icon={<Smartphone size={26} strokeWidth={1.5} aria-hidden />} title={t('off')} desc={t('offDesc')} />
      </Page>
    )
  return (
    <Page>
      <PageHead
        title={t('title')}
        desc={t('desc.page')}
        extra={
          <Button icon={<Bug size={15} aria-hidden />} danger={ordered > 0} onClick={() => setFaults(true)}>
            {ordered > 0 ? t('faults.on', { count: ordered }) : t('faults.open')}
          </Button>
        }
      />
      <QueryState query={query} height={640}>
        {(world) => (
          <>
            <Stage world={world} />
            <Inboxes />
            <Faults open={faults} onClose={() => setFaults(false)} faults={world.faults ?? []} />
          </>
        )}
      </QueryState>
    </Page>
  )
}

function Stage({ world }: { world: SimWorld }) {
  const { t } = useTranslation('sim')
  const toast = useToast()
  const client = useQueryClient()
  const patch = useUrlPatch()
  const [urlWho] = useUrlText('who')
  const [at] = useUrlText('at')
  const [side, setSide] = useUrlChoice('side', SIDES)
  const who = urlWho || world.people?.find((p) => p.friends === 0)?.id || world.people?.[0]?.id || ''
  const phone = useQuery({ ...phoneQuery(who), enabled: who !== '' })
  const externals = phone.data?.externals ?? []

  const refresh = useCallback(() => {
    void client.invalidateQueries({ queryKey: ['sim'] })
  }, [client])
  const onNews = useCallback(() => {
    refresh()
    // Facts take a moment to become tags and owners.
    setTimeout(() => void client.invalidateQueries({ queryKey: knownQuery([]).queryKey }), 1500)
  }, [client, refresh])
  const { entries, lost } = useDiary(onNews)

  const doing = useMutation({ mutationFn: act, onError: toast.failed, onSettled: refresh })
  const go = (to: string | undefined) => patch({ who, at: to ?? '' })
  const run = (body: SimAct) => doing.mutate(body, {
      onSuccess: () => {
        const app = world.apps?.find((a) => a.id === body.with)
        if (app && (body.does === 'follow' || body.does === 'launch')) go(`${app.kind === 'mini' ? 'mini' : 'account'}:${app.id}`)
        else if (body.does === 'ask' && !app) go(`kf:${body.with}`)
      },
    })
  const scan = (code: string) =>
    doing.mutate(
      { does: 'scan', who, what: code },
      {
        onSuccess: (d) => {
          const m = d.met
          if (!m) return go(undefined)
          const app = world.apps?.find((a) => a.id === m.app)
          if (app) return go(`${app.kind === 'mini' ? 'mini' : 'account'}:${app.id}`)
          if (m.already) toast.done(t('scan.already', { name: world.corps?.flatMap((c) => c.staff ?? []).find((s) => s.userid === m.staff)?.name ?? m.staff }))
          go(m.groupId ? `group:${m.groupId}` : `staff:${m.staff}`)
        },
      },
    )
  // The person really opens it in this browser too: what is behind a link is to be seen.
  const open = (url: string) => {
    window.open(url, '_blank', 'noopener,noreferrer')
  }
  const name = phone.data?.person.name ?? ''
  return (
    <>
      {!world.corps?.some((c) => c.callback) && <Alert type="warning" showIcon title={t('unheard')} style={{ marginBottom: 12 }} />}
      <div className={css.sides}>
        <Segmented value={side ?? 'phone'} onChange={(v) => setSide(v)} options={SIDES.map((s) => ({ value: s, label: t(`side.${s}`) }))} block />
      </div>
      <div className={css.stage} data-side={side ?? 'phone'}>
        <div className={css.colPeople}>
          <People
            picked={who}
            busy={doing.isPending && doing.variables?.does === 'invent'}
            onPick={(id) => patch({ who: id, at: '', side: '' })}
            onInvent={(n) => doing.mutate({ does: 'invent', who: n }, { onSuccess: (d) => d.id && patch({ who: d.id, at: 'scan', side: '' }) })}
          />
        </div>
        <div className={css.colPhone}>
          <QueryState query={phone} height={640}>
            {(data) => <Phone phone={data} world={world} busy={doing.isPending} at={at || undefined} onGo={go} onAct={run} onScan={scan} onOpen={open} />}
          </QueryState>
        </div>
        <div className={css.colStory}>
          <Known externals={externals} name={name} />
          <Desk world={world} busy={doing.isPending} onAct={run} />
          <Story entries={entries} externals={externals} lost={lost} name={name} />
        </div>
      </div>
    </>
  )
}
