import { Upload, UserPlus, UsersRound } from 'lucide-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate, useSearchParams } from 'react-router'
import { useCursorList } from '@/shared/api/cursor'
import type { ContactView } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan, useTimezone } from '@/shared/lib/session'
import type { SelectionAction } from '@/shared/lib/selection'
import { useUrlPatch, useUrlSort, type UrlPatch } from '@/shared/lib/url'
import { DataTable } from '@/shared/ui/DataTable'
import { Button } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { ContactFilterBar } from '../components/ContactFilterBar'
import { CreateContact } from '../components/CreateContact'
import { SelectionBar } from '../components/SelectionBar'
import { attributesOf, useAttributeColumns, useContactColumns } from '../components/useContactColumns'
import { ViewTabs } from '../components/ViewTabs'
import { FIRST_SORT, isFiltered, NO_FILTERS, readFilters, SORTS, toFilter, toQuery, writeFilters, type ContactFilters } from '../filters'
import { contactsPage, setViewPrefs, VIEWS_KEY, viewsQuery } from '../queries'
import { NOBODY, selectionOf, tick, tickedRows, type Choice } from '../selection'
import { definitionOf, viewPatch } from '../views'

/** Everybody in the pond. What can be done with many of them is given by whoever composes the page. */
export function ContactsPage({ actions = [] }: { actions?: SelectionAction[] }) {
  const { t } = useTranslation('contacts')
  const { lang } = usePrefs()
  const go = useNavigate()
  const zone = useTimezone()
  const [params] = useSearchParams()
  const patch = useUrlPatch()
  const filters = useMemo(() => readFilters(params, zone), [params, zone])
  const [sort, setSort] = useUrlSort(SORTS, FIRST_SORT)
  const { views, prefs, at, open, chosenColumns } = useViews(params, patch, zone, filters.kind)
  const attributes = attributesOf(chosenColumns?.keys)
  const list = useCursorList(contactsPage({ ...toQuery(filters, sort), ...(attributes.length > 0 ? { attributes } : {}) }))
  const columns = [...useContactColumns(true), ...useAttributeColumns()]
  const mayWrite = useCan('contact.write')
  const mayImport = useCan('import.write')
  const [creating, setCreating] = useState(false)
  const [choice, setChoice] = useChoice(filters)
  const selection = selectionOf(choice, list.items, toFilter(filters), list.total ?? 0)

  const importButton = mayImport && (
    <Button icon={<Upload size={15} aria-hidden />} onClick={() => void go('/imports/new')}>
      {t('list.import')}
    </Button>
  )
  const createButton = mayWrite && (
    <Button type="primary" icon={<UserPlus size={15} aria-hidden />} onClick={() => setCreating(true)}>
      {t('list.create')}
    </Button>
  )
  const visitors = filters.kind === 'visitor'
  return (
    <Page>
      <PageHead
        title={t('list.title')}
        desc={t('list.desc')}
        extra={
          <>
            {importButton}
            {createButton}
          </>
        }
      />
      <Panel flush>
        {views && prefs && <ViewTabs views={views} prefs={prefs} at={at} now={definitionOf(filters, sort, chosenColumns?.keys)} onOpen={open} />}
        <ContactFilterBar
          filters={filters}
          onChange={(next) => patch(writeFilters(next))}
          onClear={() => patch(NO_FILTERS)}
          extra={list.total !== undefined && <span className="kp-muted kp-num">{t('list.total', { total: formatInt(list.total, lang) })}</span>}
        />
        {selection && (
          <SelectionBar
            selection={{ ...selection, done: () => setChoice(NOBODY) }}
            actions={actions}
            total={list.total ?? 0}
            all={'except' in choice}
            onAll={() => setChoice({ except: [] })}
          />
        )}
        <DataTable
          label={t('list.title')}
          list={list}
          columns={columns}
          rowKey={(r) => r.id}
          rowHref={(r) => `/contacts/${r.id}`}
          sort={sort}
          onSort={setSort}
          columnsKey="contacts"
          chosenColumns={chosenColumns}
          selected={actions.length > 0 ? tickedRows(choice, list.items).map((r) => r.id) : undefined}
          onSelect={actions.length > 0 ? (keys) => setChoice(tick(choice, list.items, keys)) : undefined}
          filtered={isFiltered(filters)}
          onClearFilters={() => patch(NO_FILTERS)}
          empty={
            <Empty
              icon={<UsersRound size={26} strokeWidth={1.5} aria-hidden />}
              title={visitors ? t('list.noVisitors') : t('list.empty')}
              desc={visitors ? t('list.noVisitorsDesc') : t('list.emptyDesc')}
              action={
                !visitors && (
                  <>
                    {importButton}
                    {createButton}
                  </>
                )
              }
            />
          }
        />
      </Panel>
      <CreateContact open={creating} onClose={() => setCreating(false)} />
    </Page>
  )
}

/** Whom the reader ticked. Another filter begins another choice. */
function useChoice(filters: ContactFilters): [Choice, (next: Choice) => void] {
  const key = JSON.stringify(toFilter(filters))
  const [state, setState] = useState({ key, choice: NOBODY })
  const set = (choice: Choice) => setState({ key, choice })
  return [state.key === key ? state.choice : NOBODY, set]
}

/** The views, the one that the address names, and its columns as this user keeps them. */
function useViews(params: URLSearchParams, patch: (next: UrlPatch, push?: boolean) => void, zone: string, kind: string) {
  const { lang } = usePrefs()
  const client = useQueryClient()
  const { data } = useQuery(viewsQuery(lang))
  const views = data?.items
  const prefs = data?.prefs
  const named = params.get('view')
  const bare = params.size === 0
  const at = views?.find((v) => v.id === (named ?? (bare ? 'all' : undefined)))
  const first = bare ? views?.find((v) => v.id === prefs?.default) : undefined
  // A link that gives a view alone, and the view that opens first, mean all that the view narrows by.
  const lone = named !== null && params.size === 1 ? at : first
  useEffect(() => {
    if (lone && kind === 'person') patch(viewPatch(lone, zone))
    // The address is written once per view, not again when filters are taken off.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [lone?.id])
  const key = at?.id ?? 'all'
  const chosenColumns = prefs && {
    keys: prefs.columns?.[key] ?? at?.definition.columns,
    onChange: (keys: string[]) =>
      void setViewPrefs({ ...prefs, columns: { ...prefs.columns, [key]: keys } }).then(() => client.invalidateQueries({ queryKey: VIEWS_KEY })),
  }
  return { views, prefs, at, open: (v: ContactView) => patch(viewPatch(v, zone), true), chosenColumns }
}
