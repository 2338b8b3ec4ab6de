import type { RuleEvent, RuleHabit, RuleNode, RuleSequence, RuleStep, RuleWhere, RuleWindow } from '@/shared/api/types'
import { firstValue, kindOf, shapeOf, valued } from './rule'

/** What is asked about the facts of one event, in the order it is offered. `did` and `never` both count. */
export const ASKS = ['did', 'never', 'firstTime', 'sum', 'avg', 'max', 'min', 'distinct', 'last', 'first'] as const
export type Ask = (typeof ASKS)[number]

export const NUMBER_OPS = ['gte', 'gt', 'lte', 'lt', 'is', 'isNot', 'between'] as const
const TEXT_OPS = ['is', 'isNot', 'in', 'notIn', 'contains', 'notContains', 'startsWith'] as const
const ORDER_OPS = ['gte', 'gt', 'lte', 'lt', 'between'] as const
const SET_OPS = ['set', 'notSet'] as const

export const WINDOW_UNITS = ['day', 'week', 'month', 'hour', 'minute'] as const
export const SPAN_UNITS = ['day', 'hour', 'minute', 'week'] as const
export const HABITS = ['regularly', 'stopped', 'resumed'] as const
export const HABIT_UNITS = ['week', 'month', 'day'] as const
export const MAX_STEPS = 5
export const MIN_STEPS = 2
export const MAX_WHERES = 10

const isNumber = (type: string | undefined) => type === 'number'

/** How a property's value can be compared, by what the property holds; an unknown one can be either. */
export function whereOps(type: string | undefined): readonly string[] {
  if (isNumber(type)) return [...NUMBER_OPS, ...SET_OPS]
  if (type === 'boolean') return ['is', 'isNot', ...SET_OPS]
  if (type === undefined || type === '') return [...TEXT_OPS, ...ORDER_OPS, ...SET_OPS]
  return [...TEXT_OPS, ...SET_OPS]
}

/** How the first or last value of a property can be compared. */
export function endOps(type: string | undefined): readonly string[] {
  return whereOps(type).filter((op) => op !== 'set' && op !== 'notSet')
}

const ORDERED: readonly string[] = ORDER_OPS
/** Whether a comparison of a property of this type takes numbers. */
export const takesNumber = (type: string | undefined, op: string | undefined): boolean => ORDERED.includes(op ?? '') || isNumber(type)

/** A where-clause on another property: the comparison stays as far as the new property can be compared so. */
export function whereOn(w: RuleWhere, property: string, type?: string, was?: string): RuleWhere {
  const ops = whereOps(type)
  const fits = ops.includes(w.op) && takesNumber(type, w.op) === takesNumber(was, w.op) && (type === 'boolean') === (was === 'boolean')
  if (fits) return { ...w, property }
  const op = ops.includes(w.op) ? w.op : (ops[0] ?? 'is')
  const value = firstValue(op)
  return { property, op, ...(value !== undefined ? { value } : {}) }
}

/** The same with other where-clauses; none at all are left out. */
export function withWhere<T extends { where?: RuleWhere[] }>(of: T, where: RuleWhere[] | undefined): T {
  const next = { ...of, where }
  if (!where) delete next.where
  return next
}

/** What a condition on an event asks. */
export function askOf(e: RuleEvent): Ask {
  const measure = e.measure ?? 'count'
  if (measure !== 'count') return measure
  return (e.op === 'is' && e.value === 0) || (e.op === 'lt' && e.value === 1) || (e.op === 'lte' && e.value === 0) ? 'never' : 'did'
}

/** Whether the answer is about a property. */
export const asksProperty = (ask: Ask): boolean => !['did', 'never', 'firstTime'].includes(ask)

/** The condition asking something else of the same facts. */
export function withAsk(e: RuleEvent, ask: Ask): RuleEvent {
  const { name, where, within, property } = e
  const facts = { name, ...(where ? { where } : {}), ...(within ? { within } : {}) }
  switch (ask) {
    case 'did':
      return { ...facts, op: 'gte', value: 1 }
    case 'never':
      return { ...facts, op: 'is', value: 0 }
    case 'firstTime':
      return { ...facts, measure: 'firstTime', within: within ?? { last: 30, unit: 'day' } }
  }
  const op = ask === 'first' || ask === 'last' ? 'is' : 'gte'
  return { ...facts, measure: ask, property: property ?? '', op, value: firstValue(op) }
}

export const eventOn = (name: string): RuleEvent => ({ name, op: 'gte', value: 1, within: { last: 30, unit: 'day' } })
export const sequenceOf = (first = '', second = ''): RuleSequence => ({ steps: [{ name: first }, { name: second }], gap: { n: 7, unit: 'day' }, within: { last: 30, unit: 'day' } })

/** A habit of one kind with usual numbers; the event and its where-clauses stay. */
export function habitOf(kind: RuleHabit['kind'], of: Pick<RuleHabit, 'name' | 'where'> = { name: '' }): RuleHabit {
  const facts = { name: of.name, ...(of.where ? { where: of.where } : {}) }
  switch (kind) {
    case 'regularly':
      return { kind, ...facts, unit: 'week', periods: 8, atLeast: 4 }
    case 'stopped':
      return { kind, ...facts, times: 2, active: 90, quiet: 30 }
  }
  return { kind, ...facts, active: 30, quiet: 90 }
}

/** The window without what belongs to the other sort of window. */
export function windowSort(w: RuleWindow | undefined): 'ever' | 'last' | 'days' {
  if (!w) return 'ever'
  return w.from !== undefined || w.to !== undefined ? 'days' : 'last'
}

const whole = (n: unknown): boolean => typeof n === 'number' && Number.isInteger(n) && n >= 1

function windowReady(w: RuleWindow | undefined): boolean {
  if (!w) return true
  return windowSort(w) === 'days' ? !!(w.from || w.to) : whole(w.last) && !!w.unit
}

const wheresReady = (list: RuleWhere[] | undefined): boolean => (list ?? []).every((w) => w.property !== '' && w.op !== '' && valued(w))
const factsReady = (f: { name: string; where?: RuleWhere[] }): boolean => f.name !== '' && wheresReady(f.where)

function eventReady(e: RuleEvent): boolean {
  if (!factsReady(e) || !windowReady(e.within)) return false
  if (e.measure === 'firstTime') return e.within !== undefined
  if (asksProperty(askOf(e)) && !e.property) return false
  return e.op === undefined || valued(e)
}

function habitReady(h: RuleHabit): boolean {
  if (!factsReady(h)) return false
  return h.kind === 'regularly' ? whole(h.periods) && whole(h.atLeast) && !!h.unit : whole(h.active) && whole(h.quiet) && (h.times === undefined || whole(h.times))
}

/** Whether a condition has all that it needs. Groups always do. */
export function ready(n: RuleNode): boolean {
  if (kindOf(n)) return true
  if (n.event) return eventReady(n.event)
  if (n.sequence) return n.sequence.steps.every((s: RuleStep) => factsReady(s)) && windowReady(n.sequence.within) && (!n.sequence.gap || whole(n.sequence.gap.n))
  if (n.habit) return habitReady(n.habit)
  return shapeOf(n.op ?? '') === 'none' ? !!n.field : !!n.field && valued(n)
}
