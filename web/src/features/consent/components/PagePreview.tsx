import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { ConsentDraft } from '@/shared/api/types'
import { usePrefs } from '@/shared/lib/prefs'
import { Segmented } from '@/shared/ui/kit'
import { ErrorState, Loading } from '@/shared/ui/states'
import { pagePreviewQuery } from '../queries'
import css from './ConsentPanel.module.css'

type Lang = 'zh-CN' | 'en'
const LANGS: readonly Lang[] = ['zh-CN', 'en']

/** The preference page at the width of a phone, rendered by the server with what is being typed. Nothing in it can be pressed or sent. */
export function PagePreview({ draft }: { draft: ConsentDraft }) {
  const { t } = useTranslation(['consent', 'common'])
  const { lang } = usePrefs()
  const [shown, setShown] = useState<Lang>(lang === 'en' ? 'en' : 'zh-CN')
  const query = useQuery(pagePreviewQuery(shown, useCalm(draft)))
  return (
    <section className={css.phone} aria-label={t('preview.title')}>
      <div className="kp-row">
        <b className="kp-grow">{t('preview.title')}</b>
        <Segmented<Lang> size="small" value={shown} onChange={setShown} options={LANGS.map((l) => ({ value: l, label: t(`common:language.${l}`) }))} />
      </div>
      <p className="kp-muted">{t('preview.desc')}</p>
      {query.error ? (
        <ErrorState error={query.error} onRetry={() => void query.refetch()} />
      ) : query.data ? (
        <iframe title={t('preview.frame')} sandbox="" srcDoc={query.data.html} />
      ) : (
        <Loading height={480} />
      )}
    </section>
  )
}

/** A draft that has rested for a moment: a page is not asked for at every key. */
function useCalm(draft: ConsentDraft): ConsentDraft {
  const [calm, setCalm] = useState(draft)
  const now = JSON.stringify(draft)
  useEffect(() => {
    const timer = setTimeout(() => setCalm(JSON.parse(now) as ConsentDraft), 400)
    return () => clearTimeout(timer)
  }, [now])
  return calm
}
