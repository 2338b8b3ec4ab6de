import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useToast } from '@/shared/ui/feedback'
import { Button } from '@/shared/ui/kit'
import { QueryState } from '@/shared/ui/states'
import { DateTime } from '@/shared/ui/values'
import { exceptionsPage, liftException } from '../queries'
import css from './Automation.module.css'

/** Who does not have an automatic tag though it is for them, and why. An exception can be lifted. */
export function Exceptions({ tag }: { tag: string }) {
  const { t } = useTranslation('tags')
  const client = useQueryClient()
  const toast = useToast()
  const query = useInfiniteQuery({
    queryKey: ['tags', 'exceptions', tag],
    queryFn: ({ pageParam, signal }) => exceptionsPage(tag, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next,
  })
  const lift = async (contact: string) => {
    try {
      await liftException(tag, contact)
    } catch (error) {
      toast.failed(error)
    }
    await client.invalidateQueries({ queryKey: ['tags'] })
  }
  return (
    <QueryState query={query} height={60}>
      {(d) => {
        const items = d.pages.flatMap((p) => p.items)
        if (items.length === 0) return <p className="kp-muted">{t('auto.noExceptions')}</p>
        return (
          <>
            <ul className={css.people} aria-label={t('auto.exceptions')}>
              {items.map((e) => (
                <li key={e.contact.id + e.reason}>
                  <Link to={`/contacts/${e.contact.id}`}>{e.contact.name || e.contact.id}</Link>
                  <small className="kp-muted">
                    {e.reason === 'hand' ? t('auto.tookOff', { name: e.by?.name ?? '' }) : t('auto.stoodAbove', { tag: e.winner?.name ?? '', source: e.source ? t(`source.${e.source}` as 'source.rule') : '' })} · <DateTime at={e.at} />
                  </small>
                  <Button size="small" onClick={() => void lift(e.contact.id)}>
                    {t('auto.lift')}
                  </Button>
                </li>
              ))}
            </ul>
            {query.hasNextPage && (
              <Button size="small" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                {t('auto.more')}
              </Button>
            )}
          </>
        )
      }}
    </QueryState>
  )
}
