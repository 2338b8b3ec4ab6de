import { useQuery } from '@tanstack/react-query'
import { Cable, Plus } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Connector } from '@/shared/api/types'
import { usePrefs } from '@/shared/lib/prefs'
import { useCan } from '@/shared/lib/session'
import { Button } from '@/shared/ui/kit'
import { Page, PageHead } from '@/shared/ui/PageHead'
import { Empty, QueryState } from '@/shared/ui/states'
import { TimeAgo } from '@/shared/ui/values'
import styles from '../components/connectors.module.css'
import { HealthChip } from '../components/Health'
import { NewAccount } from '../components/NewAccount'
import { connectorsQuery, kindsQuery } from '../queries'

/** The company's accounts at platforms, with how each of them is. */
export default function ConnectorsPage() {
  const { t } = useTranslation('connectors')
  const { lang } = usePrefs()
  const may = useCan('connector.write')
  const [adding, setAdding] = useState(false)
  const query = useQuery(connectorsQuery(lang))
  const kinds = useQuery(kindsQuery(lang))
  const label = (kind: string) => kinds.data?.items.find((k) => k.name === kind)?.label ?? kind
  const add = may && (
    <Button type="primary" icon={<Plus size={15} aria-hidden />} onClick={() => setAdding(true)}>
      {t('add')}
    </Button>
  )
  return (
    <Page>
      <PageHead title={t('title')} desc={t('desc')} extra={add} />
      <QueryState query={query} height={320}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty icon={<Cable size={26} strokeWidth={1.5} aria-hidden />} title={t('empty')} desc={t('emptyDesc')} action={add} />
          ) : (
            <ul className={styles.cards}>
              {items.map((a) => (
                <li key={a.id}>
                  <Card account={a} kind={label(a.kind)} />
                </li>
              ))}
            </ul>
          )
        }
      </QueryState>
      <NewAccount open={adding} onClose={() => setAdding(false)} />
    </Page>
  )
}

function Card({ account, kind }: { account: Connector; kind: string }) {
  const { t } = useTranslation('connectors')
  const worst = account.findings.find((f) => f.state === account.health && f.state !== 'ok')
  const last = account.calls.find((c) => c.outcome === 'verified')
  return (
    <Link className={styles.card} to={`/connectors/${account.id}`}>
      <span className="kp-muted">{kind}</span>
      <span className={styles.cardHead}>
        <h2>{account.name}</h2>
        <HealthChip of={account} />
      </span>
      {worst && (
        <span className={styles.worst}>
          <b>{worst.title}</b> {worst.message}
        </span>
      )}
      <span className={styles.facts}>
        {account.callbackPath && (
          <span>
            {t('card.lastCall')} {last ? <TimeAgo at={last.lastAt} /> : t('card.never')}
          </span>
        )}
        {account.inbox.waiting + account.inbox.held > 0 && <span>{t('card.waiting', { count: account.inbox.waiting + account.inbox.held })}</span>}
        {account.inbox.dead > 0 && <span className={styles.why}>{t('card.dead', { count: account.inbox.dead })}</span>}
      </span>
    </Link>
  )
}
