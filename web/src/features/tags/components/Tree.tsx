import { useQueryClient } from '@tanstack/react-query'
import { ChartNoAxesColumn, Sparkles, GripVertical, Merge, Pencil, Plus, Trash2 } from 'lucide-react'
import { useState, type DragEvent, type KeyboardEvent, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Tag, TagGroup, TagUsage } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { Button, Input } from '@/shared/ui/kit'
import { Spark } from '@/shared/ui/Spark'
import { Uses } from '@/shared/ui/Uses'
import { createTag, deleteTag, orderTags, usageQuery } from '../queries'
import { branches, dropOn, step, type Branch } from '../tree'
import { AutomationDrawer } from './AutomationDrawer'
import { MergeDialog } from './MergeDialog'
import { TagForm } from './TagForm'
import css from './tags.module.css'
import { UsageDrawer } from './UsageDrawer'
import { useTagWork } from './useTagWork'

interface Props {
  group: TagGroup
  groups: TagGroup[]
  mayManage: boolean
  onStart: () => void
}
type Open = { what: 'edit' | 'merge' | 'usage' | 'auto'; tag: Tag }

/** The tags of a group: how many have each, how it goes, and what can be done with it. */
export function Tree({ group, groups, mayManage, onStart }: Props) {
  const { t } = useTranslation('tags')
  const { act } = useTagWork()
  const [open, setOpen] = useState<Open>()
  const [adding, setAdding] = useState<string>() // the parent
  const [dragged, setDragged] = useState<string>()
  const [over, setOver] = useState<string>()
  const place = (to: { parent?: string; ids: string[] } | undefined) => to && void act((settle) => orderTags(group.id, { ...to, settle }))
  const drop = (e: DragEvent, on: Tag) => {
    e.preventDefault()
    setOver(undefined)
    if (dragged) place(dropOn(group.tags, dragged, on.id))
  }
  const keys = (e: KeyboardEvent, tag: Tag) => {
    const by = e.key === 'ArrowUp' ? -1 : e.key === 'ArrowDown' ? 1 : undefined
    if (!by) return
    e.preventDefault()
    const level = group.tags.filter((x) => x.parent === tag.parent)
    const ids = step(level, tag.id, by)
    place(ids && { parent: tag.parent, ids })
  }
  return (
    <>
      <ul className={css.list} aria-label={t('tree.label', { group: group.name })}>
        {branches(group.tags).map((b) => (
          <li
            key={b.tag.id}
            className={[css.row, over === b.tag.id && css.over, b.tag.archivedAt && css.archived].filter(Boolean).join(' ')}
            style={{ paddingInlineStart: 10 + b.depth * 24 }}
            onDragOver={(e) => {
              e.preventDefault()
              setOver(b.tag.id)
            }}
            onDrop={(e) => drop(e, b.tag)}
          >
            {mayManage && (
              <button
                type="button"
                className={css.handle}
                draggable
                onDragStart={() => setDragged(b.tag.id)}
                onDragEnd={() => setOver(undefined)}
                onKeyDown={(e) => keys(e, b.tag)}
                aria-label={t('tree.move', { name: b.tag.name })}
              >
                <GripVertical size={14} aria-hidden />
              </button>
            )}
            <Line branch={b} mayManage={mayManage} onOpen={setOpen} onAdd={() => setAdding(b.tag.id)} />
          </li>
        ))}
      </ul>
      {mayManage && <NewTag key={adding ?? ''} group={group} parent={group.tags.find((x) => x.id === adding)} onDone={() => setAdding(undefined)} />}
      {open?.what === 'edit' && <TagForm tag={open.tag} onClose={() => setOpen(undefined)} />}
      {open?.what === 'usage' && <UsageDrawer tag={open.tag} onClose={() => setOpen(undefined)} />}
      {open?.what === 'auto' && <AutomationDrawer tag={open.tag} onClose={() => setOpen(undefined)} />}
      {open?.what === 'merge' && <MergeDialog tag={open.tag} groups={groups} onClose={() => setOpen(undefined)} onStart={onStart} />}
    </>
  )
}

function Line({ branch: { tag, depth }, mayManage, onOpen, onAdd }: { branch: Branch; mayManage: boolean; onOpen: (o: Open) => void; onAdd: () => void }) {
  const { t } = useTranslation('tags')
  const { lang } = usePrefs()
  const client = useQueryClient()
  const { confirm, refresh, toast } = useTagWork()
  const remove = async () => {
    let uses: TagUsage['uses'] = []
    try {
      uses = (await client.fetchQuery({ ...usageQuery(tag.id), staleTime: 0 })).uses
    } catch (error) {
      toast.failed(error)
      return
    }
    await confirm({
      title: t('tag.deleteTitle', { name: tag.name }),
      body: (
        <>
          {tag.contacts > 0 ? t('tag.deleteUsed', { count: tag.contacts }) : t('tag.deleteUnused')}
          {uses.length > 0 && (
            <div style={{ marginTop: 8 }}>
              {t('tag.deleteUses')}
              <Uses items={uses} plain />
            </div>
          )}
        </>
      ),
      ok: t('tag.delete'),
      danger: true,
      run: () => deleteTag(tag.id),
    })
    await refresh()
  }
  const button = (label: string, icon: ReactNode, onClick: () => void) => <Button size="small" type="text" icon={icon} aria-label={label} title={label} onClick={onClick} />
  return (
    <>
      <i className={css.dot} style={{ background: tag.color }} aria-hidden />
      <span className={css.name} title={tag.description}>
        {tag.name} {tag.automatic && <small className="kp-muted">{t(tag.automatic === 'rule' ? 'auto.markRule' : 'auto.markScore')}</small>} {tag.archivedAt && <small className="kp-muted">{t('tag.archived')}</small>}
      </span>
      <Spark className={css.spark} values={tag.added} label={t('tree.trend', { count: tag.added.reduce((a, b) => a + b, 0) })} />
      <Link className={`${css.count} kp-num`} to={`/contacts?tag=${tag.id}`} aria-label={t('tree.people', { count: tag.contacts })} data-tag={tag.id}>
        {formatInt(tag.contacts, lang)}
      </Link>
      {button(t('usage.of', { name: tag.name }), <ChartNoAxesColumn size={14} aria-hidden />, () => onOpen({ what: 'usage', tag }))}
      {mayManage && (
        <>
          {!tag.archivedAt && button(t('auto.of', { name: tag.name }), <Sparkles size={14} aria-hidden />, () => onOpen({ what: 'auto', tag }))}
          {depth < 3 && button(t('tag.addBelow', { name: tag.name }), <Plus size={14} aria-hidden />, onAdd)}
          {button(t('tag.editOf', { name: tag.name }), <Pencil size={14} aria-hidden />, () => onOpen({ what: 'edit', tag }))}
          {button(t('merge.title', { name: tag.name }), <Merge size={14} aria-hidden />, () => onOpen({ what: 'merge', tag }))}
          {button(t('tag.deleteTitle', { name: tag.name }), <Trash2 size={14} aria-hidden />, () => void remove())}
        </>
      )}
    </>
  )
}

/** Makes a tag where one stands: below a parent, or at the top. */
function NewTag({ group, parent, onDone }: { group: TagGroup; parent?: Tag; onDone: () => void }) {
  const { t } = useTranslation('tags')
  const { refresh, toast } = useTagWork()
  const [name, setName] = useState('')
  const label = parent ? t('tag.addBelow', { name: parent.name }) : t('tag.add')
  const make = async () => {
    if (!name.trim()) return
    try {
      await createTag({ group: group.id, parent: parent?.id, name: name.trim() })
      setName('')
      onDone()
      await refresh()
    } catch (error) {
      toast.failed(error)
    }
  }
  return (
    <div className={css.bar}>
      <Input value={name} onChange={(e) => setName(e.target.value)} onPressEnter={() => void make()} maxLength={30} placeholder={label} aria-label={label} style={{ maxWidth: 280 }} autoFocus={parent !== undefined} />
      <Button onClick={() => void make()} disabled={!name.trim()}>
        {t('tag.create')}
      </Button>
      {parent && <Button onClick={onDone}>{t('tag.notBelow')}</Button>}
    </div>
  )
}
