import { KeyboardCode, type CollisionDetection, type KeyboardCoordinateGetter, type UniqueIdentifier } from '@dnd-kit/core'
import { fits, locate, type Group, type Place } from './tree'

/** The id of a place that something can be dropped on. */
export const placeId = ({ group, index }: Place): string => `${group}:${index}`

export function placeOf(id: UniqueIdentifier): Place {
  const [group = '', index = '0'] = String(id).split(':')
  return { group, index: Number(index) }
}

/** Whether what is dragged may be dropped there; the places beside it are where it is already. */
export function allowed(root: Group, dragged: string, place: Place): boolean {
  const from = locate(root, dragged)
  return from !== undefined && fits(root, from.item, place.group)
}

/** The place nearest to the pointer, or to the part when the keyboard moves it: height decides, and the left edge between groups that end together. */
export const nearestPlace: CollisionDetection = ({ droppableContainers, droppableRects, collisionRect, pointerCoordinates }) => {
  const at = pointerCoordinates ?? { x: collisionRect.left + 1, y: collisionRect.top }
  return droppableContainers
    .flatMap((c) => {
      const rect = droppableRects.get(c.id)
      if (!rect || c.disabled) return []
      const outside = Math.max(0, rect.left - at.x, at.x - rect.right)
      const value = Math.abs(rect.top + rect.height / 2 - at.y) + outside * 0.6
      return [{ id: c.id, data: { droppableContainer: c, value } }]
    })
    .sort((a, b) => a.data.value - b.data.value)
}

/** Arrow keys go from place to place, in the order they are seen. */
export const placeByKey: KeyboardCoordinateGetter = (event, { context }) => {
  const by = event.code === KeyboardCode.Down ? 1 : event.code === KeyboardCode.Up ? -1 : 0
  if (by === 0) return undefined
  event.preventDefault()
  const all = context.droppableContainers
    .getEnabled()
    .flatMap((c) => {
      const rect = context.droppableRects.get(c.id)
      return rect ? [{ id: c.id, rect }] : []
    })
    .sort((a, b) => a.rect.top - b.rect.top || a.rect.left - b.rect.left)
  const now = all.findIndex((c) => c.id === context.over?.id)
  const next = all[Math.min(all.length - 1, Math.max(0, now + by))]
  return next && { x: next.rect.left, y: next.rect.top + next.rect.height / 2 }
}
