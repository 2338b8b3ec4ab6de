import { ExternalLink, Stethoscope } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Connector } from '@/shared/api/types'
import { useCan } from '@/shared/lib/session'
import { useToast } from '@/shared/ui/feedback'
import { Button } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import { TimeAgo } from '@/shared/ui/values'
import { checkConnector } from '../queries'
import styles from './connectors.module.css'
import { FindingMark } from './Health'

const ORDER = ['fail', 'warn', 'unknown', 'ok']

/** The doctor's list of an account: what was looked at, what was found, and how to mend it. */
export function CheckList({ account, onChecked }: { account: Connector; onChecked: () => Promise<unknown> }) {
  const { t } = useTranslation('connectors')
  const may = useCan('connector.write')
  const toast = useToast()
  const [busy, setBusy] = useState(false)
  const check = async () => {
    setBusy(true)
    try {
      await checkConnector(account.id)
      await onChecked()
    } catch (error) {
      toast.failed(error)
    }
    setBusy(false)
  }
  const findings = [...account.findings].sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state))
  return (
    <Panel
      title={t('check.title')}
      desc={account.checkedAt ? <>{t('check.last')} <TimeAgo at={account.checkedAt} /></> : t('check.never')}
      extra={
        may && (
          <Button type="primary" icon={<Stethoscope size={15} aria-hidden />} loading={busy} onClick={() => void check()}>
            {t('check.run')}
          </Button>
        )
      }
    >
      <ul className={styles.findings} aria-busy={busy}>
        {findings.map((f, i) => (
          <li key={i}>
            <FindingMark state={f.state} />
            <div>
              <h3>{f.title}</h3>
              <p>{f.message}</p>
              {f.how && <p className={styles.how}>{t('check.mend', { how: f.how })}</p>}
              {f.link && (
                <a href={f.link} target="_blank" rel="noreferrer">
                  {t('check.open')} <ExternalLink size={12} aria-hidden />
                </a>
              )}
            </div>
          </li>
        ))}
      </ul>
    </Panel>
  )
}
