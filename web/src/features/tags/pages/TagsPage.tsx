import { useQuery } from '@tanstack/react-query'
import { FileUp, Plus } from 'lucide-react'
import { useState, type KeyboardEvent } from 'react'
import { useTranslation } from 'react-i18next'
import type { TagGroup } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { useUrlChoice, useUrlText } from '@/shared/lib/url'
import { useSearchParams } from 'react-router'
import { Button, Tabs } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Panel } from '@/shared/ui/Panel'
import { Empty, QueryState } from '@/shared/ui/states'
import { AutomationDrawer } from '../components/AutomationDrawer'
import { FileDialog } from '../components/FileDialog'
import { GroupForm } from '../components/GroupForm'
import { Mirror } from '../components/Mirror'
import { Runs } from '../components/Runs'
import css from '../components/tags.module.css'
import { Tree } from '../components/Tree'
import { useTagWork } from '../components/useTagWork'
import { changeGroup, deleteGroup, orderGroups, systemQuery } from '../queries'
import { step } from '../tree'

const TABS = ['system', 'runs', 'mirror'] as const

/** The tag system: groups, their trees, and what was done with tags. */
export default function TagsPage() {
  const { t } = useTranslation('tags')
  const mayImport = useCan('import.write')
  const mayGive = useCan('contact.write')
  const mayMirror = useCan('tag.write')
  const [params] = useSearchParams()
  const [tab, setTab] = useUrlChoice('tab', TABS, params.has('run') ? 'runs' : 'system') // a job's link opens its run
  const query = useQuery(systemQuery())
  const [filing, setFiling] = useState(false)
  return (
    <Page>
      <PageHead
        title={t('title')}
        desc={t('desc')}
        extra={
          mayImport &&
          mayGive && (
            <Button icon={<FileUp size={15} aria-hidden />} onClick={() => setFiling(true)}>
              {t('file.open')}
            </Button>
          )
        }
      />
      <Tabs
        activeKey={tab}
        onChange={(k) => setTab(k as (typeof TABS)[number])}
        items={[
          { key: 'system', label: t('tab.system'), children: <QueryState query={query}>{(d) => <System groups={d.groups} onStart={() => setTab('runs')} />}</QueryState> },
          {
            key: 'runs',
            label: t('tab.runs'),
            children: (
              <Panel flush>
                <Runs />
              </Panel>
            ),
          },
          ...(mayMirror ? [{ key: 'mirror', label: t('tab.mirror'), children: tab === 'mirror' && <Mirror /> }] : []),
        ]}
      />
      {filing && (
        <FileDialog
          groups={query.data?.groups ?? []}
          onClose={() => setFiling(false)}
          onStart={() => {
            setFiling(false)
            setTab('runs')
          }}
        />
      )}
    </Page>
  )
}

function System({ groups, onStart }: { groups: TagGroup[]; onStart: () => void }) {
  const { t } = useTranslation('tags')
  const mayManage = useCan('tag.write')
  const { act, confirm, refresh } = useTagWork()
  const [chosen, setChosen] = useUrlText('group')
  const [auto, setAuto] = useUrlText('automation') // a profile's link says why somebody has a tag
  const asked = groups.flatMap((g) => g.tags).find((x) => x.id === auto)
  const [form, setForm] = useState<'new' | 'edit'>()
  const group = groups.find((g) => g.id === chosen) ?? groups[0]
  const keys = (e: KeyboardEvent, g: TagGroup) => {
    const by = e.altKey ? (e.key === 'ArrowUp' ? -1 : e.key === 'ArrowDown' ? 1 : undefined) : undefined
    const ids = by && step(groups, g.id, by)
    if (!ids || !mayManage) return
    e.preventDefault()
    void act(() => orderGroups(ids))
  }
  const remove = (g: TagGroup) => confirm({ title: t('group.deleteTitle', { name: g.name }), body: t('group.deleteBody'), ok: t('group.delete'), danger: true, run: () => deleteGroup(g.id) }).then(() => refresh())
  return (
    <div className={css.page}>
      <Panel flush title={t('group.title')} extra={mayManage && <Button size="small" type="text" icon={<Plus size={14} aria-hidden />} aria-label={t('group.new')} onClick={() => setForm('new')} />}>
        <ul className={css.list} aria-label={t('group.title')}>
          {groups.map((g) => (
            <li key={g.id}>
              <button type="button" className={g.archivedAt ? `${css.group} ${css.archived}` : css.group} aria-current={g.id === group?.id} onClick={() => setChosen(g.id)} onKeyDown={(e) => keys(e, g)}>
                <i className={css.dot} style={{ background: g.color }} aria-hidden />
                <span className={css.name}>{g.name}</span>
                <small className="kp-muted kp-num">{g.tags.length}</small>
              </button>
            </li>
          ))}
        </ul>
        {groups.length === 0 && <Empty title={t('group.empty')} desc={t('group.emptyDesc')} />}
      </Panel>
      {group && (
        <Panel
          flush
          title={group.name}
          desc={[t(`kind.${group.kind}`), group.exclusive && t('group.exclusive'), group.description].filter(Boolean).join(' · ')}
          extra={
            mayManage && (
              <>
                <Button size="small" onClick={() => setForm('edit')}>
                  {t('group.edit')}
                </Button>
                <Button size="small" onClick={() => void act(() => changeGroup(group.id, { archived: !group.archivedAt }))}>
                  {group.archivedAt ? t('group.restore') : t('group.archive')}
                </Button>
                {group.tags.length === 0 && (
                  <Button size="small" danger onClick={() => void remove(group)}>
                    {t('group.delete')}
                  </Button>
                )}
              </>
            )
          }
        >
          <Tree key={group.id} group={group} groups={groups} mayManage={mayManage} onStart={onStart} />
        </Panel>
      )}
      {asked && mayManage && <AutomationDrawer tag={asked} onClose={() => setAuto('')} />}
      {form && <GroupForm group={form === 'edit' ? group : undefined} onClose={() => setForm(undefined)} />}
    </div>
  )
}
