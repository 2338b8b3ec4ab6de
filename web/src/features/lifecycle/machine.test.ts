import { describe, expect, it } from 'vitest'
import type { MachineFlow, MachineState } from '@/shared/api/types'
import { movesOf, newState, peopleOf, step, without } from './machine'

const state = (id: string, from: string[] = []): MachineState => ({ id, name: { zh: id }, color: '#000000', note: {}, from, stay: 0, carriers: {} })

describe('machines', () => {
  it('adds moves up over months and opens all of them', () => {
    const flow: MachineFlow = {
      limited: false,
      months: [
        { month: '2026-01', moves: [{ from: 'a', to: 'b', count: 2, value: '2026-01:a:b' }] },
        { month: '2026-02', moves: [{ from: 'b', to: 'c', count: 4, value: '2026-02:b:c' }, { from: 'a', to: 'b', count: 3, value: '2026-02:a:b' }] },
      ],
    }
    const all = movesOf('lifecycle', flow)
    expect(all.map((m) => [m.from, m.to, m.count])).toEqual([['a', 'b', 5], ['b', 'c', 4]])
    expect(decodeURIComponent(all[0]?.link ?? '')).toBe('/contacts?where={"v":1,"all":[{"field":"stageMove","op":"in","value":["2026-01:a:b","2026-02:a:b"]}]}')
    expect(movesOf('pools', flow, '2026-01')).toHaveLength(1)
  })
  it('opens the people of a state', () => {
    expect(decodeURIComponent(peopleOf('pools', 'client'))).toContain('{"field":"pool","op":"in","value":["client"]}')
  })
  it('moves, removes and adds states', () => {
    const states = [state('a'), state('b', ['a']), state('c')]
    expect(step(states, 'a', 1).map((s) => s.id)).toEqual(['b', 'a', 'c'])
    expect(step(states, 'a', -1)).toBe(states)
    expect(without(states, 'a').map((s) => s.from)).toEqual([[], []])
    const more = [...states, newState(states, 'x')]
    expect(newState(more, 'y').id).not.toBe(more[3]?.id)
  })
})
