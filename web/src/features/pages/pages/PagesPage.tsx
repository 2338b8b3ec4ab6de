import { useQuery } from '@tanstack/react-query'
import { PanelTop, Plus } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Link, useNavigate } from 'react-router'
import type { LandingRow } from '@/shared/api/types'
import { useChannelName } from '@/shared/lib/channels'
import { formatInt, formatPercent } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { useUrlChoice, useUrlPatch, useUrlText } from '@/shared/lib/url'
import { FilterBar, FilterPills, SearchBox } from '@/shared/ui/FilterBar'
import { Grid } from '@/shared/ui/Grid'
import { Button } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty, QueryState } from '@/shared/ui/states'
import css from '../components/pages.module.css'
import { pagesQuery, STATES } from '../queries'

/** Landing pages, the newest first, with what came of them lately. */
export default function PagesPage() {
  const { t } = useTranslation('pages')
  const go = useNavigate()
  const mayEdit = useCan('acquire.write')
  const patch = useUrlPatch()
  const [q, setQ] = useUrlText('q')
  const [state, setState] = useUrlChoice('state', STATES)
  const query = useQuery(pagesQuery(q, state))
  const create = mayEdit && (
    <Button type="primary" icon={<Plus size={15} aria-hidden />} onClick={() => void go('/landing-pages/new')}>
      {t('new')}
    </Button>
  )
  const filtered = !!(q || state)
  return (
    <Page>
      <PageHead title={t('title')} desc={t('desc')} extra={create} />
      <Panel flush>
        <FilterBar active={filtered} onClear={() => patch({ q: '', state: '' })}>
          <SearchBox value={q} onChange={setQ} placeholder={t('list.search')} width={240} />
          <FilterPills label={t('list.state')} value={state ?? ''} onChange={(v) => setState(STATES.find((s) => s === v))} options={STATES.map((s) => ({ value: s, label: t(`state.${s}`) }))} />
        </FilterBar>
        <QueryState query={query} height={320}>
          {({ items }) =>
            items.length > 0 ? (
              <Rows items={items} />
            ) : (
              <Empty icon={<PanelTop size={26} strokeWidth={1.5} aria-hidden />} title={filtered ? t('list.none') : t('list.empty')} desc={filtered ? undefined : t('list.emptyDesc')} action={filtered ? undefined : create} />
            )
          }
        </QueryState>
      </Panel>
    </Page>
  )
}

function Rows({ items }: { items: LandingRow[] }) {
  const { t } = useTranslation('pages')
  const { lang } = usePrefs()
  const channelName = useChannelName()
  const number = (n: number) => formatInt(n, lang)
  return (
    <Grid<LandingRow>
      label={t('title')}
      rows={items}
      rowKey={(p) => p.id}
      columns={[
        {
          key: 'title',
          title: t('list.title'),
          fixed: true,
          clip: true,
          render: (p) => (
            <span className={css.title}>
              <Link to={`/landing-pages/${p.id}`}>{p.title}</Link>
              <small className="kp-muted">{p.path}</small>
            </span>
          ),
        },
        {
          key: 'state',
          title: t('list.state'),
          render: (p) => (
            <span>
              {t(`state.${p.state}`)}
              {p.changed && p.state !== 'draft' && <small className="kp-muted"> · {t('list.changed')}</small>}
            </span>
          ),
        },
        { key: 'channel', title: t('list.channel'), render: (p) => (p.channel ? channelName(p.channel) : t('none')) },
        { key: 'views', title: t('figure.views'), align: 'right', render: (p) => number(p.figures.views) },
        { key: 'visitors', title: t('figure.visitors'), align: 'right', render: (p) => number(p.figures.visitors) },
        { key: 'people', title: t('figure.people'), align: 'right', render: (p) => number(p.figures.people) },
        { key: 'rate', title: t('figure.rate'), align: 'right', render: (p) => (p.figures.rate === undefined ? t('none') : formatPercent(p.figures.rate, lang, 1)) },
        { key: 'by', title: t('list.by'), render: (p) => <span className="kp-muted">{p.by}</span> },
      ]}
    />
  )
}
