import { useTranslation } from 'react-i18next'
import type { ConnectorQuota } from '@/shared/api/types'
import { formatInt } from '@/shared/lib/format'
import { usePrefs } from '@/shared/lib/prefs'
import { Chip } from '@/shared/ui/chips'
import { Progress } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { DateTime } from '@/shared/ui/values'
import { useSpan } from '../span'
import styles from './connectors.module.css'

/** How much of each quota was taken in the stretch that runs now. */
export function Quotas({ quotas }: { quotas: ConnectorQuota[] }) {
  const { t } = useTranslation('connectors')
  const { lang } = usePrefs()
  const span = useSpan()
  return (
    <Panel title={t('quota.title')} desc={t('quota.desc')}>
      <ul className={styles.quotas}>
        {quotas.map((q) => {
          const share = q.limit > 0 ? Math.min(100, Math.round((q.used / q.limit) * 100)) : 100
          return (
            <li key={q.name + q.per}>
              <div className={styles.quotaHead}>
                <span>{q.words ?? q.name}</span>
                <span className="kp-muted">{span(q.per)}</span>
                {q.limit !== q.most && <Chip tone="info">{t('quota.own')}</Chip>}
                <span className="kp-grow" />
                <b className="kp-num">
                  {formatInt(q.used, lang)} / {formatInt(q.limit, lang)}
                </b>
              </div>
              <Progress percent={share} showInfo={false} size="small" status={share >= 100 ? 'exception' : 'normal'} aria-label={q.words ?? q.name} />
              <div className={styles.quotaFoot}>
                {q.of !== 'account' && <span>{q.full > 0 ? t('quota.full', { count: q.full }) : t('quota.each')}</span>}
                {q.haltedUntil && (
                  <span className={styles.refused}>
                    {t('quota.halted')} <DateTime at={q.haltedUntil} />
                  </span>
                )}
              </div>
            </li>
          )
        })}
      </ul>
    </Panel>
  )
}
