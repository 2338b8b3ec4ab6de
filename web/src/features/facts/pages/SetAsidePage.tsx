import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useCursorList } from '@/shared/api/cursor'
import type { SetAside } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { useUrlChoice, useUrlPatch, useUrlText } from '@/shared/lib/url'
import { Chip } from '@/shared/ui/chips'
import { DataTable, type Column } from '@/shared/ui/DataTable'
import { useConfirm, useToast } from '@/shared/ui/feedback'
import { FilterBar, FilterPills, SearchBox } from '@/shared/ui/FilterBar'
import { JsonView } from '@/shared/ui/JsonView'
import { Button } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { Count, DateTime } from '@/shared/ui/values'
import { discardSetAside, retrySetAside, setAsidePage, type Which } from '../queries'

const STATES: readonly SetAside['state'][] = ['open', 'retried', 'discarded']

/** Facts that could not be handled, with the reason; they can be tried again. */
export default function SetAsidePage() {
  const { t } = useTranslation('facts')
  const may = useCan('facts.write')
  const toast = useToast()
  const confirm = useConfirm()
  const patch = useUrlPatch()
  const [state, setState] = useUrlChoice('state', STATES, 'open')
  const [name, setName] = useUrlText('name')
  const [selected, setSelected] = useState<string[]>([])
  const list = useCursorList({ queryKey: ['facts', 'set-aside', state, name], page: setAsidePage({ state, name: name || undefined }) })
  const filtered = state !== 'open' || name !== ''
  const clear = () => patch({ state: '', name: '' })

  const after = () => {
    setSelected([])
    list.refetch()
  }
  const retry = async (which: Which) => {
    try {
      const { count } = await retrySetAside(which)
      toast.done(t('retry.done', { count }))
    } catch (error) {
      toast.failed(error)
    }
    after()
  }
  const discard = (which: Which, count: number) =>
    confirm({ title: t('discard.title', { count }), body: t('discard.body'), ok: t('discard.ok'), danger: true, run: () => discardSetAside(which) }).then((done) => (done ? after() : undefined))

  const columns: Column<SetAside>[] = [
    { key: 'name', title: t('column.name'), render: (f) => <b className="kp-strong">{f.name || t('noName')}</b> },
    { key: 'why', title: t('column.why'), render: (f) => <span>{f.detail}</span> },
    { key: 'stage', title: t('column.stage'), render: (f) => <Chip>{f.stage}</Chip> },
    { key: 'source', title: t('column.source'), render: (f) => f.source },
    { key: 'tries', title: t('column.tries'), align: 'right', render: (f) => <Count value={f.tries} /> },
    { key: 'at', title: t('column.at'), render: (f) => <DateTime at={f.at} seconds /> },
  ]
  return (
    <Page>
      <PageHead
        title={t('setAside.title')}
        desc={t('setAside.desc')}
        extra={
          may && state === 'open' && list.items.length > 0 && (
            <span className="kp-row">
              <Button danger disabled={selected.length === 0} onClick={() => void discard({ ids: selected }, selected.length)}>
                {t('discard.some', { count: selected.length })}
              </Button>
              <Button disabled={selected.length === 0} onClick={() => void retry({ ids: selected })}>
                {t('retry.some', { count: selected.length })}
              </Button>
              <Button type="primary" onClick={() => void retry({ all: true })}>
                {t('retry.all')}
              </Button>
            </span>
          )
        }
      />
      <Panel flush>
        <FilterBar active={filtered} onClear={clear}>
          <FilterPills label={t('column.state')} value={state} onChange={(v) => setState(v ?? 'open')} options={STATES.map((s) => ({ value: s, label: t(`state.${s}`) }))} />
          <SearchBox value={name} onChange={setName} placeholder={t('filter.name')} width={220} />
        </FilterBar>
        <DataTable
          label={t('setAside.title')}
          list={list}
          columns={columns}
          rowKey={(f) => f.id}
          selected={may && state === 'open' ? selected : undefined}
          onSelect={may && state === 'open' ? setSelected : undefined}
          filtered={filtered}
          onClearFilters={clear}
          empty={<Empty title={t('setAside.empty')} desc={t('setAside.emptyDesc')} />}
          expand={(f) => <JsonView value={f.fact} depth={2} label={t('fact')} />}
        />
      </Panel>
    </Page>
  )
}
