import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/shared/api/client'
import type { SimBox, SimInbox, SimLetter, SimText } from '@/shared/api/types'

const poll = 3_000

/** Phones that got short messages, the newest first. */
export const inboxesQuery = () =>
  queryOptions({ queryKey: ['sim', 'inboxes'], queryFn: ({ signal }) => unwrap<{ items: SimInbox[] | null }>(api.GET('/api/sim/inboxes', { signal })), refetchInterval: poll })

export const textsQuery = (number: string) =>
  queryOptions({
    queryKey: ['sim', 'texts', number],
    queryFn: ({ signal }) => unwrap<{ items: SimText[] | null }>(api.GET('/api/sim/inboxes/{number}', { params: { path: { number } }, signal })),
    refetchInterval: poll,
  })

/** Mailboxes that got mail, the newest first. */
export const boxesQuery = () =>
  queryOptions({ queryKey: ['sim', 'boxes'], queryFn: ({ signal }) => unwrap<{ items: SimBox[] | null }>(api.GET('/api/sim/mailboxes', { signal })), refetchInterval: poll })

export const lettersQuery = (address: string) =>
  queryOptions({
    queryKey: ['sim', 'letters', address],
    queryFn: ({ signal }) => unwrap<{ items: SimLetter[] | null }>(api.GET('/api/sim/mailboxes/{address}', { params: { path: { address } }, signal })),
    refetchInterval: poll,
  })

export const answerText = (number: string, text: string) => unwrap<unknown>(api.POST('/api/sim/inboxes/{number}/reply', { params: { path: { number } }, body: { text } }))
export const setNumber = (number: string, state: SimInbox['state']) => unwrap<unknown>(api.PUT('/api/sim/inboxes/{number}', { params: { path: { number } }, body: { state } }))
export const setBox = (address: string, state: SimBox['state']) => unwrap<unknown>(api.PUT('/api/sim/mailboxes/{address}', { params: { path: { address } }, body: { state } }))
export const doLetter = (id: string, does: 'open' | 'unsubscribe' | 'report') => unwrap<SimLetter>(api.POST('/api/sim/letters/{id}/acts', { params: { path: { id } }, body: { does } }))
