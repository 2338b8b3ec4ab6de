import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '@/shared/api/errors'
import type { LiveCodeAccount, LiveCodeWelcome } from '@/shared/api/types'
import { Drawer } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Alert, Button, Select } from '@/shared/ui/kit'
import { QueryState, useErrorText } from '@/shared/ui/states'
import { CODES_KEY, generalQuery, setGeneral } from '../queries'
import { Phone } from './Phone'
import { useFaults } from './useFaults'
import { WelcomeEditor } from './WelcomeEditor'

/** What friends get who came without a code, by account. */
export function GeneralDrawer({ accounts, onClose }: { accounts: readonly LiveCodeAccount[]; onClose: () => void }) {
  const { t } = useTranslation('livecodes')
  const [account, setAccount] = useState(accounts[0]?.id ?? '')
  const query = useQuery({ ...generalQuery(account), refetchOnWindowFocus: false })
  return (
    <Drawer open onClose={onClose} title={t('general.title')} width={620}>
      <div className="kp-stack">
        <p className="kp-muted">{t('general.desc')}</p>
        {accounts.length > 1 && <Select aria-label={t('form.account')} value={account} onChange={setAccount} options={accounts.map((a) => ({ value: a.id, label: a.name }))} />}
        <QueryState query={query}>{(w) => <Edit key={account} account={accounts.find((a) => a.id === account)} first={w} onDone={onClose} />}</QueryState>
      </div>
    </Drawer>
  )
}

function Edit({ account, first, onDone }: { account: LiveCodeAccount | undefined; first: LiveCodeWelcome; onDone: () => void }) {
  const { t } = useTranslation(['livecodes', 'common'])
  const client = useQueryClient()
  const toast = useToast()
  const say = useErrorText()
  const [value, setValue] = useState<LiveCodeWelcome>(first)
  const [failure, setFailure] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const faultOf = useFaults(failure)
  const save = async () => {
    setBusy(true)
    setFailure(undefined)
    try {
      await setGeneral(account?.id ?? '', value)
      await client.invalidateQueries({ queryKey: CODES_KEY })
      toast.done(t('general.saved'))
      onDone()
    } catch (error) {
      setFailure(error)
      setBusy(false)
    }
  }
  return (
    <div className="kp-stack">
      {failure !== undefined && !(failure instanceof ApiError && failure.fields.length > 0) && <Alert type="error" showIcon title={say(failure).detail} />}
      <WelcomeEditor label={t('general.title')} value={value} onChange={setValue} path="" faultOf={faultOf} />
      <div>
        <Button type="primary" loading={busy} onClick={() => void save()}>
          {t('common:action.save')}
        </Button>
      </div>
      <Phone welcome={value} staff={account?.colleagues[0]?.name ?? t('phone.staff')} customer={t('phone.customer')} code="" />
    </div>
  )
}
