import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Plus, RefreshCw } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { AttributeDef, AttributeList } from '@/shared/api/types'
import { attributeName, ATTRIBUTES_KEY, attributesQuery } from '@/shared/lib/attributes'
import { formatPercent } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { Chip } from '@/shared/ui/chips'
import { useToast } from '@/shared/ui/feedback'
import { useUrlChoice } from '@/shared/lib/url'
import { Button, Tabs } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty, QueryState } from '@/shared/ui/states'
import { Count, TimeAgo } from '@/shared/ui/values'
import { AttributeTable } from '../components/AttributeTable'
import { AttributeEditor } from '../components/AttributeEditor'
import { BuiltIns } from '../components/BuiltIns'
import { Changes } from '../components/Changes'
import { DiscoveredList } from '../components/DiscoveredList'
import { MergeDialog } from '../components/MergeDialog'
import { OptionsDialog } from '../components/OptionsDialog'
import { RetypeDialog } from '../components/RetypeDialog'
import { survey } from '../queries'
import css from './AttributesPage.module.css'

const TABS = ['attributes', 'changes'] as const

/** What can be known of customers, and what arrives without being defined. */
export default function AttributesPage() {
  const { t } = useTranslation('attributes')
  const may = useCan('attribute.write')
  const query = useQuery(attributesQuery())
  const [open, setOpen] = useState<AttributeDef | 'new'>()
  const [next, setNext] = useState<{ what: 'retype' | 'merge' | 'options'; of: AttributeDef }>()
  const [tab, setTab] = useUrlChoice('tab', TABS, 'attributes')
  const client = useQueryClient()
  const toast = useToast()
  const look = useMutation({
    mutationFn: survey,
    onSuccess: () => {
      toast.done(t('survey.started'))
      setTimeout(() => void client.invalidateQueries({ queryKey: ATTRIBUTES_KEY }), 1500)
    },
    onError: (e) => toast.failed(e),
  })
  const close = () => setNext(undefined)
  const started = () => {
    close()
    setTab('changes')
  }
  const go = (what: 'retype' | 'merge' | 'options') => (a: AttributeDef) => {
    setOpen(undefined)
    setNext({ what, of: a })
  }
  const of = (what: 'retype' | 'merge' | 'options') => (next?.what === what ? next.of : undefined)
  return (
    <Page>
      <PageHead
        title={t('title')}
        desc={t('desc')}
        extra={
          may && (
            <>
              <Button icon={<RefreshCw size={14} aria-hidden />} loading={look.isPending} onClick={() => look.mutate()}>
                {t('survey.again')}
              </Button>
              <Button type="primary" icon={<Plus size={15} aria-hidden />} onClick={() => setOpen('new')}>
                {t('add')}
              </Button>
            </>
          )
        }
      />
      <Tabs
        activeKey={tab}
        onChange={(k) => setTab(k as (typeof TABS)[number])}
        items={[
          { key: 'attributes', label: t('tab.attributes'), children: <QueryState query={query}>{(list) => <Lists list={list} may={may} onOpen={setOpen} />}</QueryState> },
          { key: 'changes', label: t('tab.changes'), children: <Changes /> },
        ]}
      />
      <AttributeEditor attribute={open} onClose={() => setOpen(undefined)} onRetype={go('retype')} onMerge={go('merge')} onOptions={go('options')} />
      <RetypeDialog attribute={of('retype')} onClose={close} />
      <MergeDialog attribute={of('merge')} all={query.data?.items ?? []} onClose={close} onStart={started} />
      <OptionsDialog attribute={of('options')} onClose={close} onStart={started} />
    </Page>
  )
}

function Lists({ list, may, onOpen }: { list: AttributeList; may: boolean; onOpen: (a: AttributeDef) => void }) {
  const { t } = useTranslation('attributes')
  const groups = new Map<string, AttributeDef[]>()
  for (const a of list.items) {
    const g = a.archived ? t('archived') : a.group || t('ungrouped')
    groups.set(g, [...(groups.get(g) ?? []), a])
  }
  return (
    <div className="kp-stack">
      {list.surveyedAt && (
        <p className="kp-muted">
          {t('survey.at')} <TimeAgo at={list.surveyedAt} />
        </p>
      )}
      {list.items.length === 0 && (
        <Panel>
          <Empty title={t('empty.title')} desc={t('empty.desc')} />
        </Panel>
      )}
      {[...groups].map(([name, items]) => (
        <Panel key={name} title={name} flush>
          <AttributeTable last={t('col.problems')}>
            {items.map((a) => (
              <Line key={a.key} a={a} people={list.people} onOpen={() => onOpen(a)} />
            ))}
          </AttributeTable>
        </Panel>
      ))}
      <DiscoveredList list={list} may={may} onAdopted={onOpen} />
      <BuiltIns list={list} />
    </div>
  )
}

function Line({ a, people, onOpen }: { a: AttributeDef; people: number; onOpen: () => void }) {
  const { t } = useTranslation('attributes')
  const { lang } = usePrefs()
  return (
    <tr>
      <td>
        <Button type="link" size="small" className={css.name} onClick={onOpen}>
          {attributeName(a, lang)}
        </Button>
        <code className="kp-muted">{a.key}</code>
      </td>
      <td>
        <span className="kp-row">
          {t(`type.${a.type}`)}
          {a.settling && <Chip tone="info">{t('settling')}</Chip>}
        </span>
      </td>
      <td className="kp-num">
        {people > 0 ? formatPercent(a.people / people, lang, 0) : '—'} <small className="kp-muted"><Count value={a.people} /></small>
      </td>
      <td>
        <span className="kp-row wrap">
          {a.required && <Chip tone="rose">{t('required')}</Chip>}
          {a.unique && <Chip tone="violet">{t('unique')}</Chip>}
          {a.personal === 'personal' && <Chip tone="warn">{t('class.personal')}</Chip>}
          {a.personal === 'sensitive' && <Chip tone="bad">{t('class.sensitive')}</Chip>}
          {a.indexed && <Chip>{t('indexed')}</Chip>}
        </span>
      </td>
      <td>
        {a.violations > 0 && <Chip tone="warn">{t('violations', { count: a.violations })}</Chip>} {a.unfit > 0 && <Chip tone="warn">{t('unfit', { count: a.unfit })}</Chip>}
      </td>
    </tr>
  )
}
