import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { formatInt, formatPercent } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import type { Estimated } from '@/shared/rules/useEstimate'
import { ApiError } from '@/shared/api/errors'
import { Bar } from '@/shared/ui/JobProgress'
import { Panel } from '@/shared/ui/Panel'
import { Loading, useErrorText } from '@/shared/ui/states'
import { NameMark } from '@/shared/ui/values'
import css from './segments.module.css'

/** How many people a rule means while it is written, in words, and a few of them. The last number stays, greyed, while the next is worked out. */
export function EstimatePanel({ estimate }: { estimate: Estimated }) {
  const { t } = useTranslation('segments')
  const { lang } = usePrefs()
  const say = useErrorText()
  const { data, error, busy } = estimate
  return (
    <Panel title={t('estimate.title')} extra={busy && <span role="status">{t('estimate.busy')}</span>}>
      {error !== undefined && (
        <p className={css.bad} role="alert">
          {error instanceof ApiError && error.fields[0] ? error.fields[0].detail : say(error).detail}
        </p>
      )}
      {!data && error === undefined && <Loading height={160} />}
      {data && (
        <div className={css.estimate} data-old={busy || error !== undefined || undefined} aria-busy={busy}>
          <p className={css.big}>
            <b className="kp-num" data-testid="estimate">
              {data.about && '≈ '}
              {formatInt(data.count, lang)}
            </b>
            <span>{t('estimate.people')}</span>
          </p>
          {data.about && (
            <p className="kp-muted" role="status">
              {t('estimate.about', { margin: formatInt(data.margin, lang) })}
            </p>
          )}
          <p className="kp-muted">{t('estimate.share', { share: formatPercent(data.percent / 100, lang, 2), total: formatInt(data.total, lang) })}</p>
          <Bar label={t('estimate.title')} share={data.total > 0 ? data.count / data.total : 0} />
          <p className={css.sentence}>{data.sentence}</p>
          {data.sample.length > 0 && (
            <>
              <h3 className={css.sub}>{t('estimate.sample')}</h3>
              <ul className={css.sample}>
                {data.sample.map((c) => (
                  <li key={c.id}>
                    <NameMark name={c.name || '?'} size={26} />
                    <Link to={`/contacts/${c.id}`} target="_blank">
                      {c.name || t('estimate.unnamed')}
                    </Link>
                    <small className="kp-muted">{[c.phone, c.city].filter(Boolean).join(' · ')}</small>
                  </li>
                ))}
              </ul>
            </>
          )}
          {data.count === 0 && <p className="kp-muted">{t('estimate.none')}</p>}
        </div>
      )}
    </Panel>
  )
}
