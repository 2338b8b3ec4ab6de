import { useDroppable } from '@dnd-kit/core'
import { ChevronDown, FolderPlus } from 'lucide-react'
import { Fragment } from 'react'
import { useTranslation } from 'react-i18next'
import { Button, Dropdown } from '@/shared/ui/kit'
import { AddPicker } from './AddPicker'
import { allowed, placeId } from './drag'
import { useEditing } from './editing'
import { GROUP_KINDS, MAX_CONDITIONS, MAX_DEPTH, type GroupKind } from './rule'
import { Condition, Part } from './RuleRow'
import css from './Rules.module.css'
import { insert, isGroup, newGroup, newLeaf, sizeOf, update, type Group, type Place } from './tree'

/** A group: a line at the left with the word that joins its parts, and the parts. */
export function RuleGroup({ group, depth = 1 }: { group: Group; depth?: number }) {
  const { t } = useTranslation('rules')
  const { change, root, setFresh } = useEditing()
  const setKind = (kind: GroupKind) => change((now) => update<Group>(now, group.id, (g) => ({ ...g, kind })))
  return (
    <fieldset className={css.group} data-kind={group.kind} data-depth={depth} data-single={group.parts.length < 2 || undefined}>
      <legend className="kp-sr">{t(`kind.${group.kind}`)}</legend>
      <div className={css.rail}>
        <Dropdown
          trigger={['click']}
          menu={{ selectedKeys: [group.kind], items: GROUP_KINDS.map((k) => ({ key: k, label: t(`kind.${k}`) })), onClick: ({ key }) => setKind(key as GroupKind) }}
        >
          <button type="button" className={css.chip} aria-label={t('kindLabel', { kind: t(`kind.${group.kind}`) })} aria-haspopup="menu">
            {t(`join.${group.kind}`)}
            <ChevronDown size={11} aria-hidden />
          </button>
        </Dropdown>
      </div>
      <div className={css.parts}>
        {group.parts.length === 0 && <p className={css.empty}>{depth === 1 ? t('everybody') : t('none')}</p>}
        {group.parts.map((p, index) => (
          <Fragment key={p.id}>
            <Gap group={group.id} index={index} />
            <Part item={p}>{isGroup(p) ? <RuleGroup group={p} depth={depth + 1} /> : <Condition leaf={p} />}</Part>
          </Fragment>
        ))}
        <Gap group={group.id} index={group.parts.length} />
        <div className={css.add}>
          <AddPicker
            disabled={sizeOf(root) >= MAX_CONDITIONS}
            onPick={(node) => {
              const leaf = newLeaf(node)
              change((now) => insert(now, { group: group.id, index: Infinity }, leaf))
              setFresh(leaf.id)
            }}
          />
          {depth < MAX_DEPTH && (
            <Button
              size="small"
              type="text"
              icon={<FolderPlus size={14} aria-hidden />}
              onClick={() => change((now) => insert(now, { group: group.id, index: Infinity }, newGroup(group.kind === 'all' ? 'any' : 'all')))}
            >
              {t('addGroup')}
            </Button>
          )}
        </div>
      </div>
    </fieldset>
  )
}

/** The space between two parts, on which a dragged one can be dropped. */
function Gap(place: Place) {
  const { dragging, root } = useEditing()
  const can = dragging !== undefined && allowed(root, dragging, place)
  const { setNodeRef, isOver } = useDroppable({ id: placeId(place), disabled: !can })
  return <div ref={setNodeRef} className={css.gap} data-over={(can && isOver) || undefined} aria-hidden />
}
