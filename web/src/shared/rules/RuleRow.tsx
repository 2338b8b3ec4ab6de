import { useDraggable } from '@dnd-kit/core'
import { Copy, EllipsisVertical, Eye, EyeOff, GripVertical, Group as GroupIcon, MoveDown, MoveUp, Trash2, Ungroup } from 'lucide-react'
import { useEffect, useId, useRef, type KeyboardEvent, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { RuleNode } from '@/shared/api/types'
import { Button, Dropdown } from '@/shared/ui/kit'
import { ready } from './behaviour'
import { useEditing } from './editing'
import { EventCondition } from './EventCondition'
import { FieldCondition } from './FieldCondition'
import { HabitCondition } from './HabitCondition'
import css from './Rules.module.css'
import { SequenceCondition } from './SequenceCondition'
import { duplicate, isGroup, remove, step, unwrap, update, wrap, wraps, type Item, type Leaf } from './tree'

/** What every part has around it: a handle to drag it by, its menu, and what is wrong with it. */
export function Part({ item, children }: { item: Item; children: ReactNode }) {
  const { t } = useTranslation('rules')
  const { faults, change, dragging, fresh, setFresh } = useEditing()
  const { setNodeRef, listeners, attributes, setActivatorNodeRef } = useDraggable({ id: item.id })
  const box = useRef<HTMLDivElement>(null)
  const faultId = useId()
  const fault = faults.get(item.id)
  useEffect(() => {
    if (fresh !== item.id) return
    setFresh(undefined)
    focusIn(box.current)
  }, [fresh, item.id, setFresh])
  const onKey = (e: KeyboardEvent) => {
    if (!e.altKey || (e.key !== 'ArrowUp' && e.key !== 'ArrowDown')) return
    e.preventDefault()
    e.stopPropagation()
    const focused = document.activeElement
    change((root) => step(root, item.id, e.key === 'ArrowUp' ? -1 : 1))
    // A part that changes its group is drawn anew; the focus stays with it.
    requestAnimationFrame(() => !focused?.isConnected && document.querySelector<HTMLElement>(`[data-part="${item.id}"] [data-handle]`)?.focus())
  }
  return (
    <div
      ref={(el) => {
        box.current = el
        setNodeRef(el)
      }}
      className={css.part}
      data-part={item.id}
      data-dragging={dragging === item.id || undefined}
      data-off={item.off || undefined}
      data-bad={fault !== undefined || undefined}
      aria-describedby={fault ? faultId : undefined}
      onKeyDown={onKey}
    >
      <button ref={setActivatorNodeRef} type="button" className={css.handle} {...attributes} {...listeners} aria-label={isGroup(item) ? t('drag.group') : t('drag.condition')} data-handle>
        <GripVertical size={14} aria-hidden />
      </button>
      <div className={css.content}>
        {children}
        {item.off && <p className={css.note}>{t('off')}</p>}
        {!item.off && !isGroup(item) && !fault && !ready(item.node) && <p className={css.note}>{t('unfinished')}</p>}
        {fault && (
          <p className={css.fault} id={faultId} role="alert">
            {fault}
          </p>
        )}
      </div>
      <PartMenu item={item} />
    </div>
  )
}

/** The first control behind the handle. */
function focusIn(box: HTMLElement | null) {
  const found = box?.querySelector<HTMLElement>(`.${css.content} input:not([readonly])`) ?? box?.querySelector<HTMLElement>(`.${css.content} input`)
  found?.focus()
}

function PartMenu({ item }: { item: Item }) {
  const { t } = useTranslation('rules')
  const { change, root, setFresh } = useEditing()
  const group = isGroup(item)
  const gone = (e: HTMLElement | null) => {
    // The focus goes to where another condition would be added.
    const add = e?.closest(`.${css.group}`)?.querySelector<HTMLElement>('[data-add]')
    change((now) => remove(now, item.id))
    requestAnimationFrame(() => (add?.isConnected ? add : document.querySelector<HTMLElement>('[data-add]'))?.focus())
  }
  return (
    <span className={css.tools}>
      <Dropdown
        trigger={['click']}
        placement="bottomRight"
        menu={{
          items: [
            { key: 'copy', icon: <Copy size={14} aria-hidden />, label: t('menu.copy') },
            { key: 'wrap', icon: <GroupIcon size={14} aria-hidden />, label: t('menu.wrap'), disabled: !wraps(root, item.id) },
            ...(group ? [{ key: 'unwrap', icon: <Ungroup size={14} aria-hidden />, label: t('menu.unwrap'), disabled: item.kind === 'none' }] : []),
            { key: 'off', icon: item.off ? <Eye size={14} aria-hidden /> : <EyeOff size={14} aria-hidden />, label: item.off ? t('menu.on') : t('menu.off') },
            { type: 'divider' as const },
            { key: 'up', icon: <MoveUp size={14} aria-hidden />, label: t('menu.up'), extra: 'Alt ↑' },
            { key: 'down', icon: <MoveDown size={14} aria-hidden />, label: t('menu.down'), extra: 'Alt ↓' },
          ],
          onClick: ({ key }) => {
            if (key === 'copy') change((now) => duplicate(now, item.id))
            if (key === 'wrap') change((now) => wrap(now, item.id))
            if (key === 'unwrap') change((now) => unwrap(now, item.id))
            if (key === 'up' || key === 'down') change((now) => step(now, item.id, key === 'up' ? -1 : 1))
            if (key === 'off')
              change((now) =>
                update(now, item.id, (i) => {
                  const { off, ...rest } = i
                  return off ? rest : { ...rest, off: true }
                }),
              )
            setFresh(undefined)
          },
        }}
      >
        <Button size="small" type="text" aria-label={t('menu.label')} icon={<EllipsisVertical size={15} aria-hidden />} />
      </Dropdown>
      <Button size="small" type="text" aria-label={group ? t('removeGroup') : t('remove')} icon={<Trash2 size={14} aria-hidden />} onClick={(e) => gone(e.currentTarget)} />
    </span>
  )
}

/** One condition, of whichever sort. */
export function Condition({ leaf }: { leaf: Leaf }) {
  const { change } = useEditing()
  const put = (node: RuleNode) => change((root) => update<Leaf>(root, leaf.id, (i) => ({ ...i, node })), leaf.id)
  const { node } = leaf
  if (node.event) return <EventCondition event={node.event} onChange={(event) => put({ event })} />
  if (node.sequence) return <SequenceCondition sequence={node.sequence} onChange={(sequence) => put({ sequence })} />
  if (node.habit) return <HabitCondition habit={node.habit} onChange={(habit) => put({ habit })} />
  return <FieldCondition node={node} onChange={put} />
}
