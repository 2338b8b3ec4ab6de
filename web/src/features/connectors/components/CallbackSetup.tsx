import { useTranslation } from 'react-i18next'
import type { Connector } from '@/shared/api/types'
import { Chip } from '@/shared/ui/chips'
import { CopyText } from '@/shared/ui/copy'
import { Alert } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { Count, TimeAgo } from '@/shared/ui/values'
import { callbackAddress } from '../draft'
import styles from './connectors.module.css'

/** Kinds whose callbacks are proved by a token in the address: these platforms sign nothing. */
const BY_TOKEN = /^(sms\.|mail$)/

/** Where the platform is to call, what stands in the way of it, and how its calls went. */
export function CallbackSetup({ account }: { account: Connector }) {
  const { t } = useTranslation('connectors')
  const { url, guessed, plain } = callbackAddress(account, window.location.origin)
  const good = account.calls.some((c) => c.outcome === 'verified' || c.outcome === 'proved')
  const word = (outcome: string) => (outcome === 'verified' ? t('call.verified') : outcome === 'proved' ? t('call.proved') : t('call.barred'))
  return (
    <Panel title={t('callback.title')} desc={t('callback.desc')}>
      <div className="kp-stack">
        <CopyText text={url} label={t('callback.title')} />
        {guessed ? <Alert type="warning" showIcon title={t('callback.guessed')} /> : plain && <Alert type="warning" showIcon title={t('callback.plain')} />}
        {!good && (
          <ol className={styles.steps}>
            {BY_TOKEN.test(account.kind) ? (
              <>
                <li>{t('callback.token1')}</li>
                <li>{t('callback.token2')}</li>
              </>
            ) : (
              <>
                <li>{t('callback.step1')}</li>
                <li>{t('callback.step2')}</li>
                <li>{t('callback.step3')}</li>
              </>
            )}
          </ol>
        )}
        {account.calls.length > 0 && (
          <table className={styles.calls}>
            <thead>
              <tr>
                <th>{t('call.outcome')}</th>
                <th>{t('call.count')}</th>
                <th>{t('call.last')}</th>
              </tr>
            </thead>
            <tbody>
              {account.calls.map((c) => (
                <tr key={c.outcome}>
                  <td>{c.message ? <span className={styles.refused}>{c.message}</span> : <Chip tone={c.outcome === 'barred' ? 'warn' : 'good'}>{word(c.outcome)}</Chip>}</td>
                  <td>
                    <Count value={c.count} />
                  </td>
                  <td>
                    <TimeAgo at={c.lastAt} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
    </Panel>
  )
}
