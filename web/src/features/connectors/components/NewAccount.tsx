import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { idempotencyKey } from '@/shared/api/client'
import type { ConnectorKind } from '@/shared/api/types'
import { usePrefs } from '@/shared/lib/prefs'
import { Drawer } from '@/shared/ui/Drawer'
import { Button } from '@/shared/ui/kit'
import { Empty, QueryState } from '@/shared/ui/states'
import { inOrder, purposeOf } from '../kinds'
import { createConnector, kindsQuery } from '../queries'
import { AccountForm } from './AccountForm'
import styles from './connectors.module.css'

/** Sets up an account: which kind, then what it asks for. The account's own page goes on from there. */
export function NewAccount({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useTranslation('connectors')
  const { lang } = usePrefs()
  const client = useQueryClient()
  const go = useNavigate()
  const kinds = useQuery({ ...kindsQuery(lang), enabled: open })
  const [chosen, setChosen] = useState<ConnectorKind>()
  const [key] = useState(idempotencyKey)
  const close = () => {
    setChosen(undefined)
    onClose()
  }
  return (
    <Drawer open={open} onClose={close} title={chosen ? t('new.titleOf', { kind: chosen.label }) : t('new.title')} width={520}>
      <QueryState query={kinds}>
        {({ items }) => {
          const only = items.length === 1 ? items[0] : undefined
          const kind = chosen ?? only
          if (items.length === 0) return <Empty title={t('new.noKinds')} desc={t('new.noKindsDesc')} />
          if (!kind) return <Kinds kinds={items} onPick={setChosen} />
          return (
            <>
              {!only && (
                <Button type="link" size="small" className={styles.more} onClick={() => setChosen(undefined)}>
                  {t('new.other')}
                </Button>
              )}
              <AccountForm
                key={kind.name}
                kind={kind}
                onClose={close}
                onSave={async (input) => {
                  const made = await createConnector(input, key)
                  await client.invalidateQueries({ queryKey: ['connectors'] })
                  await go(`/connectors/${made.id}`)
                }}
              />
            </>
          )
        }}
      </QueryState>
    </Drawer>
  )
}

function Kinds({ kinds, onPick }: { kinds: ConnectorKind[]; onPick: (kind: ConnectorKind) => void }) {
  const { t } = useTranslation('connectors')
  return (
    <ul className={styles.kinds}>
      {inOrder(kinds).map((k) => (
        <li key={k.name}>
          <button type="button" onClick={() => onPick(k)}>
            <b>{k.label}</b>
            <span className="kp-muted">{purposeOf(k.name, t) ?? (k.callback ? t('new.both') : t('new.out'))}</span>
          </button>
        </li>
      ))}
    </ul>
  )
}
