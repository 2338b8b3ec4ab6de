import { useQueryClient } from '@tanstack/react-query'
import { useCallback, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { isNotFound } from '@/shared/api/errors'
import type { Match } from '@/shared/api/types'
import { useToast } from '@/shared/ui/feedback'
import { MATCHES_KEY, mergePair, postponePair, rejectPair, resumePair } from '../queries'

/** For how many days a pair can be put off; the first is the one of the key. */
export const WAITS = [7, 30, 90] as const

const DAY_MS = 86_400_000

/** What can be done with a pair. */
export type Act = { do: 'merge' } | { do: 'reject' } | { do: 'postpone'; days: number } | { do: 'resume' }

/** Decides pairs one at a time; tells what was done, and shows the list anew. */
export function useDecide() {
  const { t } = useTranslation('matches')
  const toast = useToast()
  const client = useQueryClient()
  const [busy, setBusy] = useState<string>()
  const decide = useCallback(
    async (pair: Match, act: Act) => {
      setBusy(pair.id)
      try {
        switch (act.do) {
          case 'merge':
            await mergePair(pair.id)
            toast.done(t('done.merged'))
            break
          case 'reject':
            await rejectPair(pair.id)
            toast.done(t('done.rejected'))
            break
          case 'postpone':
            await postponePair(pair.id, new Date(Date.now() + act.days * DAY_MS).toISOString())
            toast.done(t('done.postponed', { count: act.days }))
            break
          case 'resume':
            await resumePair(pair.id)
            toast.done(t('done.resumed'))
        }
        await client.invalidateQueries({ queryKey: ['contacts'] })
      } catch (error) {
        toast.failed(error)
        if (!isNotFound(error)) return
      } finally {
        await client.invalidateQueries({ queryKey: MATCHES_KEY })
        setBusy(undefined)
      }
    },
    [client, t, toast],
  )
  return { busy, decide }
}
