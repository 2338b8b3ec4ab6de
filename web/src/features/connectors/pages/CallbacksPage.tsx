import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useCursorList } from '@/shared/api/cursor'
import type { Callback } from '@/shared/api/types'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { useUrlChoice, useUrlPatch, useUrlText } from '@/shared/lib/url'
import { StatusDot, type Tone } from '@/shared/ui/chips'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { useConfirm, useToast } from '@/shared/ui/feedback'
import { FilterBar, FilterPills, FilterSelect, SearchBox } from '@/shared/ui/FilterBar'
import { Button } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { Count, DateTime } from '@/shared/ui/values'
import { CallbackBody } from '../components/CallbackBody'
import styles from '../components/connectors.module.css'
import { connectorsQuery, inboxPage, replayCallbacks } from '../queries'

const STATES: readonly Callback['state'][] = ['waiting', 'held', 'dead', 'done', 'ignored']
const TONES: Record<Callback['state'], Tone> = { waiting: 'info', held: 'neutral', dead: 'bad', done: 'good', ignored: 'neutral' }

/** What platforms told, what became of it, and another try for what failed. */
export default function CallbacksPage() {
  const { t } = useTranslation('connectors')
  const { lang } = usePrefs()
  const may = useCan('connector.write')
  const toast = useToast()
  const confirm = useConfirm()
  const patch = useUrlPatch()
  const [account, setAccount] = useUrlText('account')
  const [state, setState] = useUrlChoice('state', STATES)
  const [name, setName] = useUrlText('name')
  const [subject, setSubject] = useUrlText('subject')
  const [selected, setSelected] = useState<string[]>([])
  const accounts = useQuery(connectorsQuery(lang))
  const nameOf = (id: string) => accounts.data?.items.find((a) => a.id === id)?.name ?? id
  const filter = { account: account || undefined, state, name: name ? `${name}*` : undefined, subject: subject || undefined }
  const list = useCursorList({ queryKey: ['callbacks', 'list', filter, lang], page: inboxPage(filter), refetchInterval: 5_000 })
  const filtered = Boolean(account || state || name || subject)
  const clear = () => patch({ account: '', state: '', name: '', subject: '' })
  const dead = accounts.data?.items.filter((a) => !account || a.id === account).reduce((n, a) => n + a.inbox.dead, 0) ?? 0

  const after = () => {
    setSelected([])
    list.refetch()
    void accounts.refetch()
  }
  const replay = async (ids: string[]) => {
    try {
      const { count } = await replayCallbacks({ ids })
      toast.done(t('replay.done', { count }))
    } catch (error) {
      toast.failed(error)
    }
    after()
  }
  const replayAll = () =>
    confirm({ title: t('replay.allTitle', { count: dead }), body: t('replay.allBody'), ok: t('replay.all'), run: () => replayCallbacks({ account: account || undefined, name: filter.name }) }).then((done) => (done ? after() : undefined))

  const columns: Column<Callback>[] = [
    { key: 'name', title: t('column.name'), render: (c) => <code>{c.name}</code> },
    { key: 'account', title: t('column.account'), render: (c) => nameOf(c.account) },
    { key: 'state', title: t('column.state'), render: (c) => <StatusDot tone={TONES[c.state]}>{t(`state.${c.state}`)}</StatusDot> },
    { key: 'why', title: t('column.why'), render: (c) => <Why of={c} /> },
    { key: 'tries', title: t('column.tries'), align: 'right', render: (c) => <Count value={c.tries} /> },
    { key: 'repeats', title: t('column.repeats'), align: 'right', render: (c) => <Count value={c.repeats} /> },
    { key: 'at', title: t('column.at'), render: (c) => <DateTime at={c.at} seconds /> },
  ]
  return (
    <Page>
      <PageHead
        title={t('inbox.title')}
        desc={t('inbox.desc')}
        extra={
          may && (
            <span className="kp-row">
              {selected.length > 0 && <Button onClick={() => void replay(selected)}>{t('replay.some', { count: selected.length })}</Button>}
              {dead > 0 && (
                <Button type="primary" onClick={() => void replayAll()}>
                  {t('replay.all')}
                </Button>
              )}
            </span>
          )
        }
      />
      <Panel flush>
        <FilterBar active={filtered} onClear={clear}>
          <FilterPills label={t('column.state')} value={state} onChange={setState} options={STATES.map((s) => ({ value: s, label: t(`state.${s}`) }))} />
          <FilterSelect label={t('column.account')} value={account || undefined} onChange={(v) => setAccount(v ?? '')} options={accounts.data?.items.map((a) => ({ value: a.id, label: a.name })) ?? []} />
          <SearchBox value={name} onChange={setName} placeholder={t('filter.name')} width={200} />
          <SearchBox value={subject} onChange={setSubject} placeholder={t('filter.subject')} width={220} />
        </FilterBar>
        <DataTable
          label={t('inbox.title')}
          list={list}
          columns={columns}
          rowKey={(c) => c.id}
          selected={may ? selected : undefined}
          onSelect={may ? setSelected : undefined}
          filtered={filtered}
          onClearFilters={clear}
          empty={<Empty title={t('inbox.empty')} desc={t('inbox.emptyDesc')} />}
          expand={(c) => <CallbackBody id={c.id} onReplay={may ? () => replay([c.id]) : undefined} />}
        />
      </Panel>
    </Page>
  )
}

/** Why it failed last, and when it is tried again. */
function Why({ of: c }: { of: Callback }) {
  const { t } = useTranslation('connectors')
  if (!c.message && !c.urgentMessage) return null
  return (
    <span>
      {c.message && <span className={c.state === 'dead' ? styles.why : undefined}>{c.message}</span>}
      {c.urgentMessage && <span className={styles.why}>{t('urgentFailed', { why: c.urgentMessage })}</span>}
      {c.nextAt && (
        <span className="kp-muted">
          {' '}
          {t('again')} <DateTime at={c.nextAt} seconds />
        </span>
      )}
    </span>
  )
}
