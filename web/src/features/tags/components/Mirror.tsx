import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link2, RefreshCw } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { TagMirror } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { useUrlText } from '@/shared/lib/url'
import { ConnectAccount } from '@/shared/ui/ConnectAccount'
import { StatusDot } from '@/shared/ui/chips'
import { JobProgress } from '@/shared/ui/JobProgress'
import { Alert, Button, Select, Switch } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Empty, QueryState } from '@/shared/ui/states'
import { TimeAgo } from '@/shared/ui/values'
import { changeMirror, MIRROR_KEY, mirrorJobQuery, mirrorsQuery, retryMirror, syncMirror } from '../mirror'
import { MirrorFailures } from './MirrorFailures'
import { MirrorLinks } from './MirrorLinks'
import { MirrorPicker } from './MirrorPicker'
import css from './mirror.module.css'
import { useTagWork } from './useTagWork'

/** How our tags and the corp tags of WeCom agree: state, what is linked, what waits and what failed. */
export function Mirror() {
  const { t } = useTranslation('tags')
  const query = useQuery(mirrorsQuery())
  const [chosen, choose] = useUrlText('account')
  const items = query.data?.items ?? []
  const mirror = items.find((m) => m.account === chosen) ?? items[0]
  return (
    <QueryState query={query} height={280}>
      {() =>
        mirror ? (
          <>
            {items.length > 1 && <Select aria-label={t('mirror.account')} value={mirror.account} onChange={choose} options={items.map((m) => ({ value: m.account, label: m.name }))} popupMatchSelectWidth={false} style={{ marginBottom: 8 }} />}
            <Account key={mirror.account} mirror={mirror} />
          </>
        ) : (
          <Panel>
            <Empty title={t('mirror.none.title')} desc={t('mirror.none.desc')} action={<ConnectAccount />} />
          </Panel>
        )
      }
    </QueryState>
  )
}

function Account({ mirror: m }: { mirror: TagMirror }) {
  const { t } = useTranslation('tags')
  const { lang } = usePrefs()
  const client = useQueryClient()
  const { act } = useTagWork()
  const may = useCan('tag.write')
  const seesJobs = useCan('jobs.read')
  const [picking, setPicking] = useState(false)
  const [failures, setFailures] = useState(false)
  const job = useQuery({ ...mirrorJobQuery(m.job), enabled: seesJobs && Boolean(m.job) }).data
  const going = job?.state === 'running' || job?.state === 'queued'
  const int = (n: number) => formatInt(n, lang)
  useEffect(() => {
    if (job && !going) void client.invalidateQueries({ queryKey: MIRROR_KEY, predicate: (q) => q.queryKey[2] !== 'job' })
  }, [client, going, job])
  const begun = m.on || m.linked + m.asking > 0
  return (
    <>
      <Panel
        title={m.name}
        desc={t('mirror.desc')}
        extra={
          may && (
            <>
              <Button icon={<RefreshCw size={14} aria-hidden />} disabled={going} onClick={() => void act(() => syncMirror(m.account))}>
                {t('mirror.sync')}
              </Button>
              <Button type="primary" icon={<Link2 size={14} aria-hidden />} onClick={() => setPicking(true)}>
                {t('mirror.link')}
              </Button>
            </>
          )
        }
      >
        <div className={css.state}>
          <StatusDot tone={m.fault ? 'bad' : !m.on ? 'neutral' : m.waiting > 0 || going ? 'info' : 'good'} pulse={m.on && (m.waiting > 0 || going)}>
            {m.fault ? t('mirror.state.fault') : !m.on ? t('mirror.state.off') : m.waiting > 0 || going ? t('mirror.state.busy') : t('mirror.state.agree')}
          </StatusDot>
          <dl className={css.numbers}>
            <Fact name={t('mirror.linked')} value={int(m.linked)} />
            <Fact name={t('mirror.friends')} value={int(m.friends)} />
            <Fact name={t('mirror.waiting')} value={int(m.waiting)} />
            <Fact name={t('mirror.failed')} value={m.failed > 0 && may ? <Button type="link" size="small" onClick={() => setFailures(true)}>{int(m.failed)}</Button> : int(m.failed)} />
            <Fact name={t('mirror.sent')} value={int(m.sent)} />
            <Fact name={t('mirror.came')} value={int(m.came)} />
            <Fact name={t('mirror.readAt')} value={m.readAt ? <TimeAgo at={m.readAt} /> : t('mirror.never')} />
          </dl>
          {job && (going || job.state === 'failed') && <JobProgress job={job} />}
        </div>
        {m.fault && (
          <Alert
            type="error"
            showIcon
            title={m.fault}
            description={m.faultAt && <TimeAgo at={m.faultAt} />}
            action={may && <Button size="small" onClick={() => void act(() => retryMirror(m.account))}>{t('mirror.retry')}</Button>}
            style={{ marginTop: 12 }}
          />
        )}
        {may && begun && (
          <div className={css.switches}>
            <label>
              <Switch size="small" checked={m.on} onChange={(on) => void act(() => changeMirror(m.account, { on }))} aria-label={t('mirror.on')} /> {t('mirror.on')}
            </label>
            <label>
              <Switch size="small" checked={m.takeNew} onChange={(takeNew) => void act(() => changeMirror(m.account, { takeNew }))} aria-label={t('mirror.takeNew')} /> {t('mirror.takeNew')}
            </label>
          </div>
        )}
      </Panel>
      <MirrorLinks account={m.account} onLink={may ? () => setPicking(true) : undefined} />
      {picking && <MirrorPicker account={m.account} onClose={() => setPicking(false)} />}
      {failures && <MirrorFailures account={m.account} onClose={() => setFailures(false)} />}
    </>
  )
}

function Fact({ name, value }: { name: string; value: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="kp-num">{value}</dd>
    </div>
  )
}
