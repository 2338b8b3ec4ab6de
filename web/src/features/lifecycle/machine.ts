import type { Machine, MachineFlow, MachineState } from '@/shared/api/types'

/** The two machines: stages of the lifecycle, and pools. */
export type MachineName = 'lifecycle' | 'pools'

/** The field by which lists are narrowed to a machine's states. */
export const fieldOf = (machine: MachineName) => (machine === 'pools' ? 'pool' : 'stage')

/** The list of contacts, narrowed by conditions. */
function listOf(...conditions: [field: string, values: string[]][]): string {
  return `/contacts?where=${encodeURIComponent(JSON.stringify({ v: 1, all: conditions.map(([field, value]) => ({ field, op: 'in', value })) }))}`
}

/** The people in a state. */
export const peopleOf = (machine: MachineName, state: string) => listOf([fieldOf(machine), [state]])

/** The people whom colleagues placed by hand: in a state, or in any. */
export function handOf(machine: MachineName, state?: string): string {
  const hand: [string, string[]] = [`${fieldOf(machine)}Hand`, ['hand']]
  return state === undefined ? listOf(hand) : listOf([fieldOf(machine), [state]], hand)
}

/** One pair of states over all months that are shown. */
export interface Move {
  from: string
  to: string
  count: number
  /** Opens the people. */
  link: string
}

/** Adds up the moves of a month, or of all; the largest first. */
export function movesOf(machine: MachineName, flow: MachineFlow, month?: string): Move[] {
  const pairs = new Map<string, { from: string; to: string; count: number; values: string[] }>()
  for (const m of flow.months ?? []) {
    if (month && m.month !== month) continue
    for (const f of m.moves ?? []) {
      const key = `${f.from}>${f.to}`
      const pair = pairs.get(key) ?? { from: f.from, to: f.to, count: 0, values: [] }
      pair.count += f.count
      if (f.value) pair.values.push(f.value)
      pairs.set(key, pair)
    }
  }
  return [...pairs.values()].map(({ values, ...p }) => ({ ...p, link: listOf([`${fieldOf(machine)}Move`, values]) })).sort((a, b) => b.count - a.count || a.from.localeCompare(b.from))
}

/** What of a machine is sent back: its states without their counts. */
export function statesOf(machine: Machine): MachineState[] {
  return (machine.states ?? []).map(({ id, name, color, note, rule, from, stay, carriers }) => ({ id, name, color, note, rule, from: from ?? [], stay, carriers }))
}

/** Moves a state up or down; the same list when it is at the end. */
export function step(states: MachineState[], id: string, by: -1 | 1): MachineState[] {
  const at = states.findIndex((s) => s.id === id)
  const to = at + by
  if (at < 0 || to < 0 || to >= states.length) return states
  const out = [...states]
  out.splice(to, 0, ...out.splice(at, 1))
  return out
}

/** Takes a state out, and out of what others name. */
export function without(states: MachineState[], id: string): MachineState[] {
  return states.filter((s) => s.id !== id).map((s) => ({ ...s, from: (s.from ?? []).filter((f) => f !== id) }))
}

const COLORS = ['#3f7cac', '#2f8f83', '#b7791f', '#c2553f', '#7a6fa6', '#be4a7b', '#4d7c0f', '#0e7490']

/** A new state with an id that no other has. */
export function newState(states: MachineState[], name: string): MachineState {
  let n = states.length + 1
  while (states.some((s) => s.id === `own_${n}`)) n++
  return { id: `own_${n}`, name: { zh: name }, color: COLORS[n % COLORS.length] ?? '#3f7cac', note: {}, from: [], stay: 0, carriers: {} }
}
