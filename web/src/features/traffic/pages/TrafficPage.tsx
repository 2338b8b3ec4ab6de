import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Radar, Settings, ShieldAlert } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useCursorList } from '@/shared/api/cursor'
import type { TrafficFinding } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan, useTimezone } from '@/shared/lib/session'
import { formatAgo } from '@/shared/lib/time'
import { useUrlChoice, useUrlText } from '@/shared/lib/url'
import { DataTable } from '@/shared/ui/DataTable'
import { useToast } from '@/shared/ui/feedback'
import { FilterBar, FilterPills } from '@/shared/ui/FilterBar'
import { Button } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { FindingDrawer } from '../components/FindingDrawer'
import { SettingsDrawer } from '../components/SettingsDrawer'
import css from '../components/traffic.module.css'
import { useFindingWords } from '../components/words'
import { findingsPage, lookNow, lookQuery, settingsQuery, STATES, TRAFFIC_KEY } from '../queries'

/** Abnormal traffic: what waits for a person, and what people said of it. */
export default function TrafficPage() {
  const { t } = useTranslation('traffic')
  const { lang } = usePrefs()
  const zone = useTimezone()
  const client = useQueryClient()
  const toast = useToast()
  const mayEdit = useCan('acquire.write')
  const words = useFindingWords()
  const [state, setState] = useUrlChoice('state', STATES)
  const [open, setOpen] = useUrlText('finding')
  const [settings, setSettings] = useState(false)
  const [job, setJob] = useState<string>()
  const list = useCursorList(findingsPage(state, lang))
  const set = useQuery(settingsQuery())
  const look = async () => {
    try {
      setJob((await lookNow()).jobId)
    } catch (error) {
      toast.failed(error)
    }
  }
  const looking = useQuery(lookQuery(job)).data?.state
  const over = job !== undefined && looking !== undefined && looking !== 'queued' && looking !== 'running'
  useEffect(() => {
    if (over) void client.invalidateQueries({ queryKey: TRAFFIC_KEY })
  }, [over, client])
  return (
    <Page>
      <PageHead
        title={t('title')}
        desc={set.data?.lookedAt ? t('descLooked', { ago: formatAgo(set.data.lookedAt, lang) }) : t('desc')}
        extra={
          mayEdit && (
            <>
              <Button icon={<Settings size={15} aria-hidden />} aria-label={t('settings.title')} onClick={() => setSettings(true)} />
              <Button icon={<Radar size={15} aria-hidden />} loading={job !== undefined && !over} onClick={() => void look()}>
                {t('look')}
              </Button>
            </>
          )
        }
      />
      {over && <p role="status" className="kp-muted">{looking === 'succeeded' ? t('looked') : t('notLooked')}</p>}
      <Panel flush>
        <FilterBar active={state !== undefined} onClear={() => setState(undefined)}>
          <FilterPills label={t('list.state')} value={state ?? ''} onChange={(v) => setState(STATES.find((s) => s === v))} options={STATES.map((s) => ({ value: s, label: t(`state.${s}`) }))} />
        </FilterBar>
        <DataTable<TrafficFinding>
          label={t('title')}
          list={list}
          rowKey={(f) => f.id}
          onOpen={(f) => setOpen(f.id)}
          filtered={state !== undefined}
          onClearFilters={() => setState(undefined)}
          columns={[
            {
              key: 'what',
              title: t('list.what'),
              render: (f) => (
                <span className={css.what}>
                  <b>{words.title(f)}</b>
                  <small className="kp-muted">{words.figure(f)}</small>
                </span>
              ),
            },
            { key: 'state', title: t('list.state'), render: (f) => t(`state.${f.state}`) },
            { key: 'channel', title: t('list.channel'), render: (f) => f.channelName ?? t('none') },
            { key: 'span', title: t('list.span'), render: (f) => words.span(f, zone) },
            { key: 'people', title: t('list.people'), align: 'right', render: (f) => formatInt(f.people, lang) },
            { key: 'found', title: t('list.found'), render: (f) => formatAgo(f.foundAt, lang) },
          ]}
          empty={<Empty icon={<ShieldAlert size={26} strokeWidth={1.5} aria-hidden />} title={t('list.empty')} desc={t('list.emptyDesc')} />}
        />
      </Panel>
      {open && <FindingDrawer id={open} onClose={() => setOpen('')} />}
      {settings && set.data && <SettingsDrawer value={set.data} onClose={() => setSettings(false)} />}
    </Page>
  )
}
