import { useTranslation } from 'react-i18next'
import { useCursorList } from '@/shared/api/cursor'
import type { LiveCodeEntry } from '@/shared/api/types'
import { usePrefs } from '@/shared/lib/prefs'
import { Button } from '@/shared/ui/kit'
import { Empty, ErrorState, Loading } from '@/shared/ui/states'
import { DateTime } from '@/shared/ui/values'
import { logPage } from '../queries'
import css from './livecodes.module.css'

/** What was done to a code and what the platform said, newest first. */
export function Log({ id }: { id: string }) {
  const { t } = useTranslation(['livecodes', 'common'])
  const { lang } = usePrefs()
  const list = useCursorList<LiveCodeEntry>(logPage(id, lang))
  if (list.error !== undefined && list.items.length === 0) return <ErrorState error={list.error} onRetry={list.refetch} />
  if (list.loading) return <Loading />
  if (list.items.length === 0) return <Empty title={t('log.none')} />
  return (
    <>
      <ul className={css.log}>
        {list.items.map((e, i) => (
          <li key={`${e.at}${i}`}>
            <b>{t(`log.${e.kind}`)}</b>
            <span className="kp-grow">{<Detail entry={e} />}</span>
            <small>
              {e.by ? `${e.by} · ` : ''}
              <DateTime at={e.at} seconds />
            </small>
          </li>
        ))}
      </ul>
      {list.hasMore && (
        <Button loading={list.loadingMore} onClick={list.loadMore}>
          {t('common:table.more')}
        </Button>
      )}
    </>
  )
}

function Detail({ entry }: { entry: LiveCodeEntry }) {
  const { t } = useTranslation('livecodes')
  const { lang } = usePrefs()
  const d = (entry.detail ?? {}) as { message?: string; names?: string[]; parts?: string[]; why?: string; skip?: boolean; what?: string }
  const list = (words: string[]) => new Intl.ListFormat(lang, { type: 'conjunction' }).format(words)
  if (d.message) return <>{d.what === 'remark' ? `${t('log.remark')} ` : ''}{d.message}</>
  if (d.parts) return <>{list(d.parts.map((p) => t(`log.part.${p as 'name'}`, { defaultValue: p })))}</>
  if (d.names) {
    const why = d.why === 'backup' || d.why === 'expired' || d.why === 'nobody' ? ` · ${t(`log.why.${d.why}`)}` : ''
    return <>{list(d.names) + why}</>
  }
  return null
}
