import { expect, it } from 'vitest'
import type { Job } from '@/shared/api/types'
import { endedSince } from './useJobNotices'

const job = (id: string, state: Job['state']): Job => ({
  id,
  state,
  kind: 'import',
  title: id,
  done: 0,
  total: 0,
  unit: 'rows',
  hasFile: false,
  createdBy: { id: 'u1', name: '' },
  createdAt: '2026-03-08T00:00:00Z',
})
const ids = (jobs: Job[]) => jobs.map((j) => j.id)

it('tells of a job once, when it ends while watched', () => {
  expect(ids(endedSince(undefined, [job('old', 'succeeded')]))).toEqual([])
  const before = new Map<string, Job['state']>([
    ['old', 'succeeded'],
    ['run', 'running'],
    ['wait', 'queued'],
  ])
  expect(ids(endedSince(before, [job('old', 'succeeded'), job('run', 'failed'), job('wait', 'running')]))).toEqual(['run'])
  // Began and ended between two looks.
  expect(ids(endedSince(before, [job('quick', 'succeeded'), job('fresh', 'running')]))).toEqual(['quick'])
})
