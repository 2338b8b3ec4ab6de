import { DndContext, DragOverlay, KeyboardSensor, PointerSensor, useSensor, useSensors, type Announcements } from '@dnd-kit/core'
import { useQuery } from '@tanstack/react-query'
import { Redo2, Undo2 } from 'lucide-react'
import { useMemo, useState, type KeyboardEvent } from 'react'
import { createPortal } from 'react-dom'
import { useTranslation } from 'react-i18next'
import { usePrefs } from '@/shared/lib/prefs'
import { Button, Tooltip } from '@/shared/ui/kit'
import { QueryState } from '@/shared/ui/states'
import { nearestPlace, placeByKey, placeOf } from './drag'
import type { Draft } from './draft'
import { EditingContext, fieldId, type Editing } from './editing'
import { ruleEventsQuery, ruleFieldsQuery } from './queries'
import { RuleGroup } from './RuleGroup'
import css from './Rules.module.css'
import { isGroup, locate, moveTo, sizeOf, type Item } from './tree'

interface Props {
  draft: Draft
  /** What the server refuses, by the id of the part. */
  faults?: ReadonlyMap<string, string>
  /** Whether the rule is one reader's own, so that it may say "me". */
  personal?: boolean
}

const NO_FAULTS: ReadonlyMap<string, string> = new Map()

/** The builder of rules: groups of conditions that are added, dragged, and taken back. What they come to is shown by whoever uses it. */
export function RuleEditor({ draft, faults = NO_FAULTS, personal = false }: Props) {
  const { lang } = usePrefs()
  const fields = useQuery(ruleFieldsQuery(lang))
  const events = useQuery(ruleEventsQuery(lang))
  const [fresh, setFresh] = useState<string>()
  const [dragging, setDragging] = useState<string>()
  const { root, change } = draft
  const known = fields.data?.items
  const named = events.data
  const editing = useMemo<Editing>(() => ({ fields: known ?? [], personal, events: named ?? [], change, root, faults, fresh, setFresh, dragging }), [known, personal, named, change, root, faults, fresh, dragging])
  const onKey = (e: KeyboardEvent) => {
    const key = e.key.toLowerCase()
    if (!(e.ctrlKey || e.metaKey) || e.altKey || (key !== 'z' && key !== 'y')) return
    e.preventDefault()
    if (key === 'y' || e.shiftKey) draft.redo()
    else draft.undo()
  }
  return (
    <QueryState query={fields} height={200}>
      {() => (
        <EditingContext value={editing}>
          <div className={css.editor} onKeyDown={onKey}>
            <UndoBar draft={draft} />
            <Dragging draft={draft} onDrag={setDragging} dragging={dragging} editing={editing} />
          </div>
        </EditingContext>
      )}
    </QueryState>
  )
}

function UndoBar({ draft }: { draft: Draft }) {
  const { t } = useTranslation('rules')
  return (
    <div className={css.undo}>
      <Tooltip title={t('undo')}>
        <Button size="small" type="text" aria-label={t('undo')} aria-keyshortcuts="Control+Z" disabled={!draft.canUndo} icon={<Undo2 size={15} aria-hidden />} onClick={draft.undo} />
      </Tooltip>
      <Tooltip title={t('redo')}>
        <Button size="small" type="text" aria-label={t('redo')} aria-keyshortcuts="Control+Shift+Z" disabled={!draft.canRedo} icon={<Redo2 size={15} aria-hidden />} onClick={draft.redo} />
      </Tooltip>
    </div>
  )
}

/** Dragging with the pointer, a finger or the keyboard, told to screen readers. */
function Dragging({ draft, dragging, onDrag, editing }: Pick<Props, 'draft'> & { dragging: string | undefined; onDrag: (id: string | undefined) => void; editing: Editing }) {
  const { t } = useTranslation('rules')
  const { root, change } = draft
  const sensors = useSensors(useSensor(PointerSensor, { activationConstraint: { distance: 5 } }), useSensor(KeyboardSensor, { coordinateGetter: placeByKey }))
  const nameOf = useNameOf(editing)
  const item = dragging === undefined ? undefined : locate(root, dragging)?.item
  const what = (id: string | number) => {
    const found = locate(root, String(id))?.item
    return found ? nameOf(found) : ''
  }
  const where = (id: string | number) => {
    const place = placeOf(id)
    const group = place.group === root.id ? root : locate(root, place.group)?.item
    return t('drag.place', { kind: group && isGroup(group) ? t(`kind.${group.kind}`) : '', n: place.index + 1 })
  }
  const announcements: Announcements = {
    onDragStart: ({ active }) => t('drag.start', { what: what(active.id) }),
    onDragOver: ({ over }) => (over ? where(over.id) : undefined),
    onDragEnd: ({ active, over }) => (over ? t('drag.end', { what: what(active.id), where: where(over.id) }) : t('drag.cancel')),
    onDragCancel: () => t('drag.cancel'),
  }
  return (
    <DndContext
      sensors={sensors}
      collisionDetection={nearestPlace}
      accessibility={{ announcements, screenReaderInstructions: { draggable: t('drag.how') } }}
      onDragStart={({ active }) => onDrag(String(active.id))}
      onDragCancel={() => onDrag(undefined)}
      onDragEnd={({ active, over }) => {
        onDrag(undefined)
        if (over) change((now) => moveTo(now, String(active.id), placeOf(over.id)))
      }}
    >
      <RuleGroup group={root} />
      {createPortal(<DragOverlay dropAnimation={null}>{item && <div className={css.ghost}>{nameOf(item)}</div>}</DragOverlay>, document.body)}
    </DndContext>
  )
}

/** A part in a few words, for what is dragged. */
function useNameOf({ fields, events }: Editing): (item: Item) => string {
  const { t } = useTranslation('rules')
  const event = (name: string) => events.find((e) => e.name === name)?.label ?? (name || t('event.choose'))
  return (item) => {
    if (isGroup(item)) return t('drag.groupOf', { kind: t(`kind.${item.kind}`), count: sizeOf(item) })
    const { node } = item
    if (node.event) return event(node.event.name)
    if (node.sequence) return node.sequence.steps.map((s) => event(s.name)).join(' → ')
    if (node.habit) return event(node.habit.name)
    return fields.find((f) => fieldId(f) === fieldId(node))?.label ?? node.field ?? ''
  }
}
